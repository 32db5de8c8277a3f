"""What is installed of one sort, ours and what other packages add by entry points: kinds and domains.

A member is imported when it is looked up, so that a run imports only what its file names.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from aiinfra.dataclass import dataclass
from aiinfra.errors import ConfigError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")
OURS = "aiinfra"
GROUPS = ("aiinfra.stacks", "aiinfra.domains")
ENTRY_POINT_ERRORS = (
    ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError, LookupError, OSError, RuntimeError,
    AssertionError,
)  # fmt: skip
"""What importing a module of another package may raise."""


@dataclass(frozen=True, slots=True)
class Sort(Generic[T]):
    """The sort of members that a registry holds."""

    word: str
    """`kind`, as messages call a member."""
    group: str
    """Entry point group of other packages."""
    type: type[T]
    name_of: Callable[[T], str]


class Registry(Mapping[str, T]):
    """Members by name, in the order in which they were given."""

    def __init__(self, word: str, members: Iterable[tuple[str, str, Callable[[], T]]]) -> None:
        """`members` are name, package and loader of each. Raises `ConfigError` when two have one name."""
        self._word = word
        self._loads: dict[str, Callable[[], T]] = {}
        self._origins: dict[str, str] = {}
        self._loaded: dict[str, T] = {}
        for name, package, load in members:
            self._add(name, package, load)

    @classmethod
    def collect(cls, sort: Sort[T], ours: Iterable[tuple[str, Callable[[], T]]]) -> Registry[T]:
        """Return a registry of our members and of those of other packages."""
        others = (
            (p.name, package, partial(_load_entry_point, sort, p, package)) for p, package in entry_points(sort.group)
        )
        return cls(sort.word, [*((name, OURS, load) for name, load in ours), *others])

    def __getitem__(self, name: str) -> T:
        """Load and return the member. Raises `ConfigError` that names the package when its entry point is broken."""
        if name not in self._loaded:
            self._loaded[name] = self._loads[name]()
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._loads

    def __iter__(self) -> Iterator[str]:
        return iter(self._loads)

    def __len__(self) -> int:
        return len(self._loads)

    def origin(self, name: str) -> str:
        """Return the name of the package that brings the member: `aiinfra` for ours."""
        return self._origins[name]

    def _add(self, name: str, package: str, load: Callable[[], T]) -> None:
        if name in self._loads:
            raise ConfigError(
                f"the {self._word} {name} is defined by {self.origin(name)} and by {package}",
                code="catalog.duplicate",
                where=name,
                hint="uninstall one of them",
            )
        self._loads[name], self._origins[name] = load, package


def entry_points(group: str) -> Iterator[tuple[EntryPoint, str]]:
    """Yield the entry points of a group with their packages; of two with one name the first on the path counts."""
    for packages in _our_distributions(tuple(dict.fromkeys(sys.path))):
        yield from ((point, packages.name) for point in packages.entry_points.select(group=group))


@cache
def _our_distributions(path: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the distributions with entry points of our groups.

    Reading the metadata of all packages takes 40 ms, so others are not read.
    """
    found: dict[str, Any] = {}
    for info in (info for folder in path for info in _metadata_folders(Path(folder))):
        from importlib.metadata import Distribution

        package = Distribution.at(info)
        found.setdefault(package.name, package)
    return tuple(found.values())


def _metadata_folders(folder: Path) -> list[Path]:
    """Return the metadata folders of packages with entry points of our groups; unreadable ones are left out."""
    try:
        infos = [path for path in folder.iterdir() if path.name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return []
    return [info for info in infos if _has_our_group(_content(info / "entry_points.txt"))]


def _has_our_group(text: bytes) -> bool:
    return any(b"[%s]" % group.encode() in text for group in GROUPS)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _load_entry_point(sort: Sort[T], point: EntryPoint, package: str) -> T:
    hint = f"repair or uninstall {package}"
    try:
        member = point.load()
    except ENTRY_POINT_ERRORS as exc:
        reason = " ".join(str(exc).split())
        raise ConfigError(
            f"the {sort.word} {point.name} of package {package} cannot be loaded: {type(exc).__name__}: {reason}",
            code="catalog.broken_package",
            where=point.value,
            hint=hint,
        ) from exc
    if not isinstance(member, sort.type) or sort.name_of(member) != point.name:
        what = _entry_point_words(sort, member)
        raise ConfigError(
            f"the entry point {point.name} of package {package} gives {what}, not the {sort.word} {point.name}",
            code="catalog.broken_package",
            where=point.value,
            hint=hint,
        )
    return member


def _entry_point_words(sort: Sort[T], member: object) -> str:
    if isinstance(member, sort.type):
        return f"a {sort.word} named {sort.name_of(member)}"
    return f"a {type(member).__name__}"
