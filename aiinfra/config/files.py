"""Environment files as layers: the file, then the files it extends."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import field
from pathlib import Path
from typing import Final

from aiinfra.config.layers import Layer
from aiinfra.config.marks import Document, Mark
from aiinfra.config.places import Located
from aiinfra.config.yaml_text import Wrong, parse
from aiinfra.dataclass import dataclass
from aiinfra.errors import Problem
from aiinfra.model.tree import Loc, Tree, dotted, is_list

MAX_BYTES: Final = 1 << 20


@dataclass(slots=True)
class Files:
    """The layers of a file and its bases, and what is wrong with them."""

    cwd: Path
    layers: list[Layer] = field(default_factory=list)
    """Strongest first."""
    found: list[Located] = field(default_factory=list)
    usable: bool = True
    """False when some file could not be read to its end, so that nothing else can be checked."""

    def read(self, path: Path) -> None:
        self._read(path, (), ("", "", Mark(0, 0)))
        self._keep_strongest()

    def _read(self, path: Path, chain: tuple[Path, ...], asked: tuple[str, str, Mark]) -> None:
        """`asked` says who extends this file: where, the path of the value, its mark."""
        source = display_path(path, self.cwd)
        text, reason, hint = read_text(path)
        if text is None:
            where, at, mark = asked
            self._problem(where or source, at, mark, f"{source} {reason}" if where else reason, hint, fatal=True)
            return
        document, wrongs = parse(text)
        for wrong in wrongs:
            self._wrong(source, wrong, fatal=document.tree is None)
        if document.tree is None and not wrongs:
            self._problem(source, "", Mark(1, 1), "the file is empty", "aiinfra init writes a first one", fatal=True)
        elif document.tree is not None and not isinstance(document.tree, dict):
            self._problem(
                f"{source}:1:1", "", Mark(1, 1), "an environment file is a map", "begin with version: v1", fatal=True
            )
        if isinstance(document.tree, dict):
            self._add(path, source, document, chain)

    def _add(self, path: Path, source: str, document: Document, chain: tuple[Path, ...]) -> None:
        assert isinstance(document.tree, dict)
        bases = document.tree.pop("extends", None)
        self.layers.append(Layer(source, document, marked=True))
        here = (*chain, _resolve(path))
        for at, name in reversed(list(self._bases(bases, source, document))):
            base = path.parent / name
            mark = document.values[at]
            asked = (f"{source}:{mark}", dotted(at), mark)
            if (real := _resolve(base)) in here:
                walk = " → ".join(display_path(one, self.cwd) for one in [*here[here.index(real) :], base])
                self._problem(*asked, f"the files extend each other in a circle: {walk}", "", fatal=True)
            else:
                self._read(base, here, asked)

    def _bases(self, bases: Tree, source: str, document: Document) -> Iterator[tuple[Loc, str]]:
        if bases is None:
            return
        entries: Sequence[Tree] = bases if is_list(bases) else [None]  # type: ignore[assignment]
        for number, name in enumerate(entries):
            at: Loc = ("extends", number) if is_list(bases) else ("extends",)
            if isinstance(name, str) and name:
                yield at, name
            else:
                mark = document.values[at]
                message = "wants a list of files, relative to this one"
                self._problem(f"{source}:{mark}", dotted(at), mark, message, "write extends: [_base.yaml]", fatal=False)

    def _wrong(self, source: str, wrong: Wrong, *, fatal: bool) -> None:
        at = dotted(tuple(part for part in wrong.at if part != "?"))
        self._problem(f"{source}:{wrong.mark}", at, wrong.mark, wrong.message, wrong.hint, fatal=fatal)

    def _problem(self, where: str, at: str, mark: Mark, message: str, hint: str, *, fatal: bool) -> None:
        problem = Problem(where, at, message, hint, "config.unreadable" if fatal else "config.invalid")
        self.found.append(Located((len(self.layers), mark.line, mark.column, message), problem))
        self.usable = self.usable and not fatal

    def _keep_strongest(self) -> None:
        """A base reached by two ways counts once, where it is strongest."""
        self.layers = list({layer.source: layer for layer in reversed(self.layers)}.values())[::-1]


def _resolve(path: Path) -> Path:
    """Return the path without links, as far as they can be followed."""
    return Path(os.path.realpath(path))


def display_path(path: Path, cwd: Path) -> str:
    """Return a path as a user in `cwd` would name it."""
    whole = cwd / path
    plain = Path(*whole.parts[:1], *_without_dots(whole.parts[1:]))
    return str(plain.relative_to(cwd)) if plain.is_relative_to(cwd) else str(plain)


def _without_dots(parts: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for part in parts:
        if part == ".." and kept:
            kept.pop()
        elif part not in {".", ".."}:
            kept.append(part)
    return kept


def read_text(path: Path) -> tuple[str | None, str, str]:
    """Return the text, or None with a message and a hint."""
    try:
        if path.is_dir():
            return None, "is a folder, not a file", "name a file in it"
        if path.exists() and not path.is_file():
            return None, "is not a regular file", ""
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None, "does not exist", ""
    except (OSError, ValueError) as exc:
        return None, f"cannot be read: {getattr(exc, 'strerror', None) or exc}", ""
    return _decode(raw)


def _decode(raw: bytes) -> tuple[str | None, str, str]:
    if len(raw) > MAX_BYTES:
        return None, "is larger than 1 MiB, too large for an environment file", "split it with extends"
    try:
        return raw.decode("utf-8-sig"), "", ""
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        return None, f"is not UTF-8: byte 0x{raw[exc.start]:02x} in line {line}", "save it as UTF-8"
