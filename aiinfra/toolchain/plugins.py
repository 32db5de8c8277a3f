"""The official Pulumi plugins that kinds need on real targets: found, and installed from the vendor's archives.

An archive comes from the vendor, or from a folder or a server that holds the vendor's files under their own names. A
file `ARCHIVE.sha256` beside it says what its checksum must be; what was installed is recorded beside the program.
Nothing is fetched inside a run: a run says what is missing before its first step.
"""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.errors import OutsideError
from aiinfra.toolchain.cache import Cache
from aiinfra.toolchain.digest import file_digest
from aiinfra.toolchain.record import describe
from aiinfra.toolchain.table import Platform
from aiinfra.world import World

VENDOR: Final = "https://get.pulumi.com/releases/plugins"
"""Where Pulumi publishes the archives (pulumi sdk/v3 v3.259.0 go/common/workspace/plugins.go, getPulumiSource)."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plugin:
    """A resource plugin. It must be of the version of the Python SDK with which the programs were written."""

    name: str
    """As Pulumi calls it."""
    version: str

    @classmethod
    def of_sdk(cls, name: str) -> Plugin:
        """Return the plugin that the installed SDK asks for."""
        from importlib.metadata import version

        return cls(name, version(f"pulumi-{name}"))

    @property
    def program(self) -> str:
        return f"pulumi-resource-{self.name}"

    def archive(self, platform: Platform) -> str:
        """Return the name of the vendor's archive."""
        return f"{self.program}-v{self.version}-{platform}.tar.gz"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Plugins:
    """The plugins of one user on this machine, in the folder of Pulumi that the engine host uses."""

    def __init__(self, world: World, mirror: Path | None = None) -> None:
        """`mirror` is a folder of archives, such as the one named by --toolchain; it may have none."""
        self.folder = world.cache() / "pulumi" / "plugins"
        self.platform = Platform.here()
        self.mirror = mirror
        self._cache = Cache(world.cache() / "toolchain")

    def path(self, plugin: Plugin) -> Path:
        """Return the program, there or not."""
        return self.folder / f"resource-{plugin.name}-v{plugin.version}" / plugin.program

    def installed(self) -> list[Path]:
        """Return the programs of all plugins that this user has."""
        return sorted(path for path in self.folder.glob("resource-*/pulumi-resource-*") if path.suffix != ".json")

    def missing(self, wanted: Iterable[Plugin]) -> list[Plugin]:
        return [plugin for plugin in wanted if not self.path(plugin).exists()]

    def require(self, wanted: Sequence[Plugin], environment: str, say: Say) -> None:
        """Have the plugins ready without any network: those that lack are installed from the mirror.

        Raises `OutsideError` `toolchain.plugin` that names what is missing and the command that brings it.
        """
        if lacking := self.lacking(wanted):
            raise missing_error(lacking, environment)
        self.install(wanted, self.mirror or Path(), say)

    def lacking(self, wanted: Iterable[Plugin]) -> list[Plugin]:
        """Return the plugins that are neither installed nor in the mirror."""
        return [plugin for plugin in self.missing(wanted) if not self._mirrored(plugin)]

    def install(self, wanted: Sequence[Plugin], source: str | Path, say: Say) -> list[Path]:
        """Install plugins that are missing from a folder or address of archives; returns where all of them are.

        Raises `OutsideError`: `toolchain.plugin` for an archive that cannot be had or is none, `toolchain.checksum`.
        """
        if self.missing(wanted):
            with self._cache.installing(say) as work:
                for plugin in self.missing(wanted):
                    self._install(plugin, source, work, say)
        return [self.path(plugin) for plugin in wanted]

    def copy(self, wanted: Sequence[Plugin], source: str | Path, folder: Path, say: Say) -> list[Path]:
        """Put the archives of plugins into a folder, each with its checksum beside it; raises as `install`."""
        copied = []
        for plugin in wanted:
            target, name = folder / plugin.archive(self.platform), plugin.archive(self.platform)
            if not (target.exists() and _said(target) == file_digest(target)):
                fresh = folder / f".{name}.part"
                try:
                    digest = _Source(source, plugin, self.platform).get(fresh, say)
                    fresh.replace(target)
                finally:
                    fresh.unlink(missing_ok=True)
                _sum_of(target).write_text(f"{digest}  {name}\n")
            copied.append(target)
        return copied

    def _mirrored(self, plugin: Plugin) -> bool:
        return self.mirror is not None and (self.mirror / plugin.archive(self.platform)).exists()

    def _install(self, plugin: Plugin, source: str | Path, work: Path, say: Say) -> None:
        archive, room = work / plugin.archive(self.platform), work / plugin.program
        from_where = _Source(source, plugin, self.platform)
        digest = from_where.get(archive, say)
        room.mkdir()
        _unpack(archive, room, from_where.address)
        program = room / plugin.program
        if not program.is_file():
            raise _plugin_error(f"{from_where.address} holds no {plugin.program}")
        describe(program, plugin.version, digest, from_where.address)
        target = self.path(plugin).parent
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileNotFoundError):
            shutil.rmtree(target)
        room.rename(target)


def missing_error(lacking: Sequence[Plugin], environment: str) -> OutsideError:
    """Return the error for plugins that an environment needs and that are not on this machine."""
    platform = Platform.here()
    archives = " and ".join(plugin.archive(platform) for plugin in lacking)
    noun, verb = ("plugin", "is") if len(lacking) == 1 else ("plugins", "are")
    command = f"aiinfra toolchain install {environment}"
    return OutsideError(
        f"the Pulumi {noun} {' and '.join(map(str, lacking))} {verb} not on this machine",
        code="toolchain.plugin",
        where=environment,
        hint=f"{command}; without network: {command} --from FOLDER, where {archives} lies",
    )


def offline_error(lacking: Sequence[Plugin]) -> OutsideError:
    """Return the error for missing plugins and `--offline`."""
    return OutsideError(
        f"the Pulumi plugin {' and '.join(map(str, lacking))}: not on this machine, and --offline forbids to fetch",
        code="toolchain.offline",
        hint="name a folder with --from that holds the vendor's archives: aiinfra toolchain mirror DIR ENV makes one",
    )


@dataclass(frozen=True, slots=True)
class _Source:
    """The archive of one plugin at a folder or address."""

    place: str | Path
    plugin: Plugin
    platform: Platform

    @property
    def address(self) -> str:
        return f"{str(self.place).removeprefix('file://').rstrip('/')}/{self.plugin.archive(self.platform)}"

    def get(self, target: Path, say: Say) -> str:
        """Write the archive to `target` and return its sha256, which is the one beside the archive if there is one."""
        say(f"fetching the Pulumi plugin {self.plugin} from {self.address}")
        remote = self.address.startswith(("http://", "https://"))
        said = self._download(target, say) if remote else self._copy(target)
        digest = file_digest(target)
        if said and said != digest:
            target.unlink()
            raise OutsideError(
                f"{self.address} has checksum {digest}, and {said} stands beside it",
                code="toolchain.checksum",
                hint="get the archive again from the vendor; nothing was installed",
            )
        return digest

    def _copy(self, target: Path) -> str:
        archive = Path(self.address).expanduser()
        try:
            shutil.copyfile(archive, target)
        except OSError as error:
            raise _plugin_error(f"{archive} cannot be read: {error.strerror}") from error
        return _said(archive)

    def _download(self, target: Path, say: Say) -> str:
        from aiinfra.toolchain.release import Unreachable, small_text, stream

        try:
            stream(self.address, target, f"the Pulumi plugin {self.plugin}", say)
            return _first_word(small_text(f"{self.address}.sha256"))
        except Unreachable as error:
            raise _plugin_error(f"the Pulumi plugin {self.plugin} cannot be had: {error}") from error


def _unpack(archive: Path, room: Path, address: str) -> None:
    try:
        with tarfile.open(archive, "r:gz") as packed:
            packed.extractall(room, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise _plugin_error(f"{address} is no archive of a plugin: {error}") from error


def _sum_of(archive: Path) -> Path:
    return archive.with_name(f"{archive.name}.sha256")


def _said(archive: Path) -> str:
    """Return the checksum beside an archive; empty when there is none."""
    try:
        return _first_word(_sum_of(archive).read_text())
    except FileNotFoundError:
        return ""


def _first_word(text: str) -> str:
    """Return the checksum of a file as `sha256sum` writes it; a page of a server that knows no such file is none."""
    word = text.split(maxsplit=1)[0] if text.strip() else ""
    is_sum = len(word) == hashlib.sha256().digest_size * 2 and set(word.lower()) <= set("0123456789abcdef")
    return word.lower() if is_sum else ""


def _plugin_error(message: str) -> OutsideError:
    return OutsideError(
        message,
        code="toolchain.plugin",
        hint="--from FOLDER or --from URL names another place that holds the vendor's archives",
    )
