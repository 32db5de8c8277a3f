"""Where each program comes from, in one order: named folder, wheel, cache, release, build, one clear error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from aiinfra.dataclass import dataclass
from aiinfra.errors import ConfigError, OutsideError
from aiinfra.toolchain.cache import Cache
from aiinfra.toolchain.digest import SHORT, build_digest
from aiinfra.toolchain.record import Record, describe
from aiinfra.toolchain.table import PACKAGE, Download, Platform, Tool
from aiinfra.toolchain.tools import TOOLS
from aiinfra.world import World

if TYPE_CHECKING:
    from aiinfra.toolchain.golang import Go

VARIABLE = "AIINFRA_TOOLCHAIN"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ReadyProgram:
    """A program that is ready."""

    path: Path
    place: str
    """`folder`, `wheel` or `cache`."""


class Toolchain:
    """The programs of one user on this machine.

    `directory` (or AIINFRA_TOOLCHAIN) is a folder with programs by name, such as a mirror; it is looked at first.
    `offline` forbids any download or build.
    """

    def __init__(
        self,
        world: World,
        directory: Path | None = None,
        offline: bool = False,
        *,
        tools: Mapping[str, Tool] = TOOLS,
        wheel: Path = PACKAGE / "_bin",
    ) -> None:
        named = directory or (Path(world.environ[VARIABLE]) if world.environ.get(VARIABLE) else None)
        self.directory = named and world.cwd / named.expanduser()
        self.tools = tools
        self.offline = offline
        self.platform = Platform.here()
        self.cache = Cache(world.cache() / "toolchain")
        self._world = world
        self._wheel = wheel

    def ensure(self, names: Iterable[str], on_progress: Say = lambda text: None) -> Mapping[str, Path]:
        """Return the programs `names`, installing the missing ones. `on_progress` hears a sentence now and then.

        Raises ConfigError for a folder that does not fit, OutsideError for what cannot be had.
        """
        tools = [self.tools[name] for name in dict.fromkeys(names)]
        found = {tool.name: self.find(tool) for tool in tools}
        missing = [tool for tool in tools if found[tool.name] is None]
        if missing and self.offline:
            raise offline_error(missing)
        made = self._install(missing, on_progress) if missing else {}
        return {name: there.path for name, there in found.items() if there is not None} | made

    @property
    def usual(self) -> Sequence[str]:
        """Return the names of the programs that are installed unasked."""
        return [name for name, tool in self.tools.items() if not tool.on_demand]

    def find(self, tool: Tool) -> ReadyProgram | None:
        """Return where `tool` is ready, or None; installs nothing."""
        return next(self._ready(tool), None)

    def go(self, on_progress: Say) -> Go:
        """Return the Go that builds, fetched if there is none. Raises OutsideError `toolchain.go`."""
        from aiinfra.toolchain.golang import fetch_go, ready_go

        if go := ready_go(self._world, self.cache, self.platform):
            return go
        with self.cache.installing(on_progress) as work:
            go = ready_go(self._world, self.cache, self.platform)
            return go or fetch_go(self._world, self.cache, self.platform, work, on_progress)

    def digests(self, tool: Tool) -> Sequence[str]:
        """Return the digests that an installed program may have: of the pinned release, and of the sources here."""
        release = self.release(tool)
        built = (build_digest(tool, self.platform),)
        return (release.sha256[:SHORT], *built) if release else built

    def release(self, tool: Tool) -> Download | None:
        return tool.releases.get(self.platform)

    def _ready(self, tool: Tool) -> Iterator[ReadyProgram]:
        if self.directory is not None and (program := self._in_directory(tool, self.directory)):
            yield ReadyProgram(program, "folder")
        if (self._wheel / tool.name).exists():
            yield ReadyProgram(self._wheel / tool.name, "wheel")
        for digest in self.digests(tool):
            program = self.cache.entry(tool.name, tool.version, digest) / tool.name
            if program.exists():
                yield ReadyProgram(program, "cache")

    def _in_directory(self, tool: Tool, directory: Path) -> Path | None:
        if not directory.is_dir():
            raise ConfigError(
                f"the toolchain folder {directory} does not exist",
                code="toolchain.directory",
                hint=f"it is named by --toolchain or {VARIABLE}; aiinfra toolchain mirror {directory} makes it",
            )
        program = directory / tool.name
        if not program.exists():
            return None
        record = Record.read(program)
        if record is not None and record.digest not in self.digests(tool):
            raise ConfigError(
                f"{program} was made for another version of aiinfra ({record.version}, {record.digest})",
                code="toolchain.directory",
                hint=f"on a connected machine, aiinfra toolchain mirror {directory} makes it anew",
            )
        return program

    def _install(self, missing: Sequence[Tool], say: Say) -> dict[str, Path]:
        with self.cache.installing(say) as work:
            made: dict[str, Path] = {}
            for tool in missing:
                # Another process may have installed it while this one waited for the lock.
                path = found.path if (found := self.find(tool)) else self._from_release(tool, work, say)
                made |= {tool.name: path} if path else {}
            rest = [tool for tool in missing if tool.name not in made]
            for _, group in groupby(rest, key=lambda tool: tool.module.name):
                made |= self._build(list(group), work, say)
            return made

    def _from_release(self, tool: Tool, work: Path, say: Say) -> Path | None:
        release = self.release(tool)
        if release is None:
            return None
        from aiinfra.toolchain.release import Unreachable, download

        folder = work / f"release-{tool.name}"
        folder.mkdir()
        try:
            program = download(tool, release, folder, say)
        except Unreachable as error:
            say(f"the release of {tool.name} {tool.version} cannot be had ({error}); it is built instead")
            return None
        return self._publish(tool, program, release.sha256[:SHORT], release.url)

    def _build(self, tools: Sequence[Tool], work: Path, say: Say) -> dict[str, Path]:
        from aiinfra.toolchain.build import ModuleBuild
        from aiinfra.toolchain.golang import fetch_go, ready_go

        go = ready_go(self._world, self.cache, self.platform)
        go = go or fetch_go(self._world, self.cache, self.platform, work, say)
        log = self._world.state() / "logs" / f"toolchain-{tools[0].module.name}.log"
        room = work / tools[0].module.name
        room.mkdir()
        built = ModuleBuild(go, tools[0].module, room, log, say).build(tools)
        return {t.name: self._publish_built(t, built[t.name], room) for t in tools}

    def _publish_built(self, tool: Tool, program: Path, room: Path) -> Path:
        folder = room / f"entry-{tool.name}"
        folder.mkdir()
        return self._publish(tool, program.rename(folder / tool.name), build_digest(tool, self.platform), "built")

    def _publish(self, tool: Tool, program: Path, digest: str, origin: str) -> Path:
        describe(program, tool.version, digest, origin)
        return self.cache.publish(program.parent, tool.name, tool.version, digest) / tool.name


def offline_error(missing: Sequence[Tool]) -> OutsideError:
    """Return the error for missing programs and `--offline`."""
    names = ", ".join(f"{tool.name} {tool.version}" for tool in missing)
    return OutsideError(
        f"{names}: not on this machine, and --offline forbids to fetch or build",
        code="toolchain.offline",
        hint="run `aiinfra toolchain mirror DIR` on a connected machine and name it here with --toolchain DIR",
    )
