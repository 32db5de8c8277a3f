"""Documents as YAML files: stable names, stable bytes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from aiinfra.errors import ConfigError
from aiinfra.render.document import Document

SIGNATURE = "# Rendered by aiinfra"
FIRST = ("apiVersion", "kind", "chart", "repository", "version", "name", "namespace", "metadata", "type", "spec")
"""Keys that come first, in this order; the others follow by name."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def file_names(documents: Sequence[Document]) -> list[str]:
    """`01-Namespace-gpu-operator.yaml`, numbered in order of application."""
    width = max(2, len(str(len(documents))))
    return [
        f"{number:0{width}}-{_UNSAFE.sub('-', f'{document.kind}-{document.name}').strip('-')}.yaml".lower()
        for number, document in enumerate(documents, 1)
    ]


def text(document: Document, about: str) -> str:
    """Return the text of the file. `about` says to what it belongs: `environment lab, stack nfd`."""
    notes = [f"{SIGNATURE}: {about}.", *(f"# {note}" for note in document.notes)]
    stream = StringIO()
    writer = YAML()
    writer.width = 4096
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.dump(_sort_keys(document.content), stream)
    return "\n".join(notes) + "\n" + stream.getvalue()


def write(out: Path, texts: Mapping[str, Mapping[str, str]], environment: str = "") -> None:
    """Write the files of each stack below `out`; those of an earlier rendering that are no more go, others stay.

    `environment`: when all of its stacks are rendered, what it rendered for stacks that it no longer has goes too.
    Raises `ConfigError`.
    """
    try:
        for stack, files in texts.items():
            _write(out / stack, files)
        if environment:
            _forget_stacks(out, texts, f"{SIGNATURE}: environment {environment},")
    except OSError as error:
        message = f"the file cannot be written: {error.strerror}"
        where = str(error.filename or out)
        raise ConfigError(message, code="config.unwritable", where=where, hint="give another --out") from error


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for old in _signed_files(folder, SIGNATURE):
        if old.name not in files:
            old.unlink()
    if files:
        folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")


def _forget_stacks(out: Path, kept: Collection[str], signature: str) -> None:
    for folder in sorted(path for path in out.glob("*") if path.name not in kept):
        found = _signed_files(folder, signature)
        for old in found:
            old.unlink()
        if found and not any(folder.iterdir()):
            folder.rmdir()


def _signed_files(folder: Path, signature: str) -> list[Path]:
    """Return the files in a folder that begin with a signature."""
    files = (path for path in sorted(folder.glob("*.yaml")) if path.is_file())
    return [path for path in files if _first_line(path).startswith(signature)]


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline(1000)


def _sort_keys(value: Any) -> Any:
    if isinstance(value, Mapping):
        rank = {key: place for place, key in enumerate(FIRST)}
        keys = sorted(value, key=lambda key: (rank.get(key, len(rank)), key))
        return {key: _sort_keys(value[key]) for key in keys}
    if isinstance(value, list):
        return [_sort_keys(part) for part in value]
    return LiteralScalarString(value) if isinstance(value, str) and "\n" in value else value
