"""The kinds that are installed: ours, and those that other packages add by the entry point group `aiinfra.stacks`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


class Catalog(Mapping[str, Kind]):
    """Kinds by name, in the order in which they were given."""

    def __init__(self, kinds: Iterable[tuple[Kind, str]]) -> None:
        """Kinds with the packages that bring them. Raises `ConfigError` when two have one name."""
        self._kinds: dict[str, Kind] = {}
        self._origins: dict[str, str] = {}
        for kind, package in kinds:
            self._add(kind, package)

    @classmethod
    def of(cls, *kinds: Kind) -> Catalog:
        return cls((kind, OURS) for kind in kinds)

    @classmethod
    def installed(cls) -> Catalog:
        """Ours and the others'. Raises `ConfigError` naming the package whose entry point is broken."""
        from stacks import CATALOG

        return cls([*((kind, OURS) for kind in CATALOG), *_from_packages(_entry_points())])

    def __getitem__(self, kind: str) -> Kind:
        return self._kinds[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def origin(self, kind: str) -> str:
        """Name of the package that brings the kind: `aiinfra` for ours."""
        return self._origins[kind]

    def _add(self, kind: Kind, package: str) -> None:
        if kind.kind in self._kinds:
            raise ConfigError(
                f"the kind {kind.kind} is defined by {self.origin(kind.kind)} and by {package}",
                code="catalog.duplicate",
                where=kind.kind,
                hint="uninstall one of them",
            )
        self._kinds[kind.kind], self._origins[kind.kind] = kind, package


def _entry_points() -> Iterable[EntryPoint]:
    """Entry points of the group. All metadata take 40 ms to read, so only when some file names the group."""
    if not any(_names_group(Path(folder)) for folder in dict.fromkeys(sys.path)):
        return ()
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)


def _names_group(folder: Path) -> bool:
    """Whether a package in the folder has entry points of ours; one that cannot be read has none."""
    try:
        infos = [path for path in folder.iterdir() if path.suffix in {".dist-info", ".egg-info"}]
    except OSError:
        return False
    return any(f"[{GROUP}]" in _text(info / "entry_points.txt") for info in infos)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _from_packages(points: Iterable[EntryPoint]) -> Iterator[tuple[Kind, str]]:
    for point in points:
        package = point.dist.name if point.dist else "an unnamed package"
        yield _loaded(point, package), package


def _loaded(point: EntryPoint, package: str) -> Kind:
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
