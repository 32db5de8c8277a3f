"""YAML text to a tree with marks, and everything wrong with it at once.

YAML 1.2: `yes` and `on` are text. What JSON cannot hold is refused, and so is what hides meaning: tags, merge keys,
keys that are no text, the same key twice. Anchors work, within a size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from aiinfra.config.marks import Document, Mark
from aiinfra.config.scalars import Refused, parse_scalar
from aiinfra.dataclass import dataclass
from aiinfra.model.tree import Loc, Tree

MAX_DEPTH: Final = 40
MAX_VALUES: Final = 50_000
"""Values in one text, each use of an anchor counted."""
TOO_BIG: Final = f"comes to more than {MAX_VALUES} values, or {MAX_DEPTH} levels"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing wrong in a text."""

    mark: Mark
    at: Loc
    message: str
    hint: str = ""


class Unreadable(Exception):
    """The text cannot be read to its end."""

    def __init__(self, mark: Mark, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.wrong = Wrong(mark, (), message, hint)


@dataclass(slots=True)
class _Node:
    """A value before its path is known; an anchor's uses share one."""

    mark: Mark
    value: Any = None
    pairs: list[tuple[str, Mark, _Node]] | None = None
    items: list[_Node] | None = None
    absent: bool = False
    """Nothing was written; the parser marks where the next thing stands."""


def parse(text: str) -> tuple[Document, Sequence[Wrong]]:
    """The document, as far as it can be read, and what is wrong with it; an empty text is a document of `None`."""
    reader = _Reader(_events(text))
    try:
        root = reader.document()
        return _Flattening().document(root), reader.wrongs
    except Unreadable as stop:
        return Document(None), [*reader.wrongs, stop.wrong]


def _events(text: str) -> Iterator[Any]:
    """Yield the events of the parser. Raises `Unreadable`."""
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as exc:
        found = exc.problem_mark or exc.context_mark
        mark = Mark(found.line + 1, found.column + 1) if found else Mark(1, 1)
        raise Unreadable(mark, _sentence(exc), _syntax_hint(text, mark)) from exc
    except YAMLError as exc:
        raise Unreadable(_position(text, exc), f"is not YAML: {_odd_character(exc)}") from exc
    except (
        ValueError,
        IndexError,
        TypeError,
        AttributeError,
    ) as exc:  # a few broken inputs make the scanner itself fail
        raise Unreadable(Mark(1, 1), "is not YAML that can be read") from exc


def _sentence(error: MarkedYAMLError) -> str:
    parts = [" ".join(str(part).split()) for part in (error.context, error.problem) if part]
    return "is not YAML: " + ", ".join(parts)


def _syntax_hint(text: str, mark: Mark) -> str:
    lines = text.splitlines()
    line = lines[mark.line - 1] if mark.line <= len(lines) else ""
    if "${" in line and re.search(r"[{\[,:]\s*\$\{", line):
        return 'inside {…} and […] a reference needs quotes: "${cluster}"'
    return "indent with spaces" if "\t" in line else ""


def _position(text: str, error: YAMLError) -> Mark:
    """Return line and column of an unreadable character."""
    index = getattr(error, "position", 0)
    before = text[: index if isinstance(index, int) else 0]
    return Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _odd_character(error: YAMLError) -> str:
    character = getattr(error, "character", None)
    which = f"the character U+{character:04X}" if isinstance(character, int) else "a character"
    return f"{which} cannot stand here"


@dataclass(slots=True)
class _Reader:
    """Builds nodes from the events of the parser."""

    events: Iterator[Any]
    wrongs: list[Wrong] = field(default_factory=list)
    anchors: dict[str, _Node | None] = field(default_factory=dict)
    """None while the anchored value is still open."""
    count: int = 0

    def document(self) -> _Node:
        root: _Node | None = None
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    self._wrong(event, (), "a second document starts here", "one file holds one environment")
                    return root
                root = self._node(next(self.events), ())
        return root or _Node(Mark(1, 1))

    def _node(self, event: Any, at: Loc) -> _Node:
        self.count += 1
        if len(at) > MAX_DEPTH or self.count > MAX_VALUES:
            raise Unreadable(_mark(event), TOO_BIG, "split it with extends")
        if isinstance(event, AliasEvent):
            return self._alias(event, at)
        if event.anchor:
            self.anchors[event.anchor] = None
        node = self._content(event, at)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _content(self, event: Any, at: Loc) -> _Node:
        if event.tag and not (isinstance(event, ScalarEvent) and event.tag == "!"):
            self._wrong(
                event, at, f"the tag {event.tag} is not understood", "write plain values, quoted when they are text"
            )
        if isinstance(event, MappingStartEvent):
            return _Node(_mark(event), pairs=list(self._pairs(at)))
        if isinstance(event, SequenceStartEvent):
            return _Node(_mark(event), items=list(self._items(at)))
        return self._scalar(event, at)

    def _alias(self, event: AliasEvent, at: Loc) -> _Node:
        node = self.anchors.get(event.anchor)
        if node is None:
            known = event.anchor in self.anchors
            message = (
                f"*{event.anchor} stands inside what it names"
                if known
                else f"no anchor is named &{event.anchor} before this"
            )
            self._wrong(event, at, message)
            return _Node(_mark(event))
        return node

    def _items(self, at: Loc) -> Iterator[_Node]:
        number = 0
        while not isinstance(event := next(self.events), SequenceEndEvent):
            yield self._node(event, (*at, number))
            number += 1

    def _pairs(self, at: Loc) -> Iterator[tuple[str, Mark, _Node]]:
        seen: dict[str, Mark] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            mark = _mark(event)
            key = self._key(event, at)
            node = self._node(next(self.events), (*at, key if key is not None else "?"))
            if key is None:
                continue
            if key in seen:
                self.wrongs.append(
                    Wrong(mark, (*at, key), f"the key {key} stands here twice, first in line {seen[key].line}")
                )
                continue
            seen[key] = mark
            yield key, mark, replace(node, mark=mark) if node.absent else node

    def _key(self, event: Any, at: Loc) -> str | None:
        if isinstance(event, AliasEvent):
            self._wrong(event, at, f"a key must be written out, not *{event.anchor}")
            return None
        node = self._node(event, (*at, "?"))
        if node.pairs is not None or node.items is not None:
            self._wrong(
                event,
                at,
                "a key must be text, not a list or a map",
                'inside {…} a reference needs quotes: "${cluster}"',
            )
            return None
        if not isinstance(node.value, str):
            self._wrong(event, at, f"a key must be text, not {event.value or 'nothing'}", f'quote it: "{event.value}"')
            return None
        if node.value == "<<" and event.style is None:
            self._wrong(event, at, "merge keys are not understood", "take extends, or repeat the keys")
            return None
        return node.value

    def _scalar(self, event: ScalarEvent, at: Loc) -> _Node:
        quoted = event.style is not None or event.tag is not None
        mark = Mark(event.start_mark.line + 1, event.start_mark.column + 1, "" if quoted else event.value)
        try:
            return _Node(mark, parse_scalar(event.value, quoted=quoted), absent=not quoted and not event.value)
        except Refused as exc:
            self.wrongs.append(Wrong(mark, at, str(exc), exc.hint))
            return _Node(mark)

    def _wrong(self, event: Any, at: Loc, message: str, hint: str = "") -> None:
        self.wrongs.append(Wrong(_mark(event), at, message, hint))


def _mark(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


@dataclass(slots=True)
class _Flattening:
    """Builds a tree from nodes, with a mark for every path. Raises `Unreadable` when anchors make it too big."""

    keys: dict[Loc, Mark] = field(default_factory=dict)
    values: dict[Loc, Mark] = field(default_factory=dict)

    def document(self, root: _Node) -> Document:
        return Document(self._tree(root, ()), self.keys, self.values)

    def _tree(self, node: _Node, at: Loc) -> Tree:
        self.values[at] = node.mark
        if len(self.values) > MAX_VALUES or len(at) > MAX_DEPTH:
            raise Unreadable(node.mark, TOO_BIG, "use fewer anchors")
        if node.pairs is not None:
            self.keys.update({(*at, key): mark for key, mark, _ in node.pairs})
            return {key: self._tree(value, (*at, key)) for key, _, value in node.pairs}
        if node.items is not None:
            return [self._tree(item, (*at, number)) for number, item in enumerate(node.items)]
        return node.value  # type: ignore[no-any-return]  # a scalar
