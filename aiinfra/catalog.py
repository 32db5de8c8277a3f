"""The kinds that are installed: ours, and those that other packages add by the entry point group `aiinfra.stacks`.

A kind is imported when it is asked for: a run pays for the kinds that its file names, however many are installed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from aiinfra.errors import ConfigError
from aiinfra.stack import StackType

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "aiinfra.stacks"
OURS = "aiinfra"
FOREIGN = (
    ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError, LookupError, OSError, RuntimeError,
    AssertionError,
)  # fmt: skip
"""What importing somebody else's module may raise."""

Kind = StackType[Any, Any]
Load = Callable[[], Kind]


class Catalog(Mapping[str, Kind]):
    """Kinds by name, in the order in which they were given."""

    def __init__(self, kinds: Iterable[tuple[str, str, Load]]) -> None:
        """Name, package and what loads it, of each. Raises `ConfigError` when two have one name."""
        self._loads: dict[str, Load] = {}
        self._origins: dict[str, str] = {}
        self._loaded: dict[str, Kind] = {}
        for name, package, load in kinds:
            self._add(name, package, load)

    @classmethod
    def of(cls, *kinds: Kind) -> Catalog:
        return cls((kind.kind, OURS, partial(_same, kind)) for kind in kinds)

    @classmethod
    def installed(cls) -> Catalog:
        """Ours and the others'."""
        from stacks import KINDS

        ours = ((name, OURS, partial(_ours, name)) for name in KINDS)
        return cls([*ours, *_from_packages(_entry_points())])

    def __getitem__(self, kind: str) -> Kind:
        """Raises `ConfigError` naming the package whose entry point is broken."""
        if kind not in self._loaded:
            self._loaded[kind] = self._loads[kind]()
        return self._loaded[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in self._loads

    def __iter__(self) -> Iterator[str]:
        return iter(self._loads)

    def __len__(self) -> int:
        return len(self._loads)

    def origin(self, kind: str) -> str:
        """Name of the package that brings the kind: `aiinfra` for ours."""
        return self._origins[kind]

    def _add(self, name: str, package: str, load: Load) -> None:
        if name in self._loads:
            raise ConfigError(
                f"the kind {name} is defined by {self.origin(name)} and by {package}",
                code="catalog.duplicate",
                where=name,
                hint="uninstall one of them",
            )
        self._loads[name], self._origins[name] = load, package


def _same(kind: Kind) -> Kind:
    return kind


def _ours(name: str) -> Kind:
    return cast("Kind", importlib.import_module(f"stacks.{name}").STACK)


def _entry_points() -> Iterator[tuple[EntryPoint, str]]:
    """Entry points of the group, with the package of each; of two with one name the first on the path counts.

    All packages' metadata take 40 ms to read, so only those that name the group are.
    """
    seen = set()
    for info in (info for folder in dict.fromkeys(sys.path) for info in _naming_group(Path(folder))):
        from importlib.metadata import Distribution

        package = Distribution.at(info)
        if package.name not in seen:
            seen.add(package.name)
            yield from ((point, package.name) for point in package.entry_points.select(group=GROUP))


def _naming_group(folder: Path) -> list[Path]:
    """The metadata of packages in the folder that have entry points of ours; what cannot be read has none."""
    try:
        infos = [path for path in folder.iterdir() if path.name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return []
    return [info for info in infos if b"[%s]" % GROUP.encode() in _content(info / "entry_points.txt")]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _from_packages(points: Iterable[tuple[EntryPoint, str]]) -> Iterator[tuple[str, str, Load]]:
    for point, package in points:
        yield point.name, package, partial(_theirs, point, package)


def _theirs(point: EntryPoint, package: str) -> Kind:
    hint = f"repair or uninstall {package}"
    try:
        kind = point.load()
    except FOREIGN as exc:
        reason = " ".join(str(exc).split())
        raise ConfigError(
            f"the kind {point.name} of package {package} cannot be loaded: {type(exc).__name__}: {reason}",
            code="catalog.broken_package",
            where=point.value,
            hint=hint,
        ) from exc
    if not isinstance(kind, StackType) or kind.kind != point.name:
        what = f"a kind named {kind.kind}" if isinstance(kind, StackType) else f"a {type(kind).__name__}"
        raise ConfigError(
            f"the entry point {point.name} of package {package} gives {what}, not the kind {point.name}",
            code="catalog.broken_package",
            where=point.value,
            hint=hint,
        )
    return kind
