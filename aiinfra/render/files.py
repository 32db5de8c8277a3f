"""Documents as YAML files: stable names, stable bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from aiinfra.render.documents import Document

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
    """The file's whole text. `about` says to what it belongs: `environment lab, stack nfd`."""
    notes = [f"{SIGNATURE}: {about}.", *(f"# {note}" for note in document.notes)]
    stream = StringIO()
    writer = YAML()
    writer.width = 4096
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.dump(_sorted(document.content), stream)
    return "\n".join(notes) + "\n" + stream.getvalue()


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files of one stack; files of an earlier rendering that are no more go, others stay."""
    for old in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        if old.name not in files and old.read_text(encoding="utf-8").startswith(SIGNATURE):
            old.unlink()
    if files:
        folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        rank = {key: place for place, key in enumerate(FIRST)}
        keys = sorted(value, key=lambda key: (rank.get(key, len(rank)), key))
        return {key: _sorted(value[key]) for key in keys}
    if isinstance(value, list):
        return [_sorted(part) for part in value]
    return LiteralScalarString(value) if isinstance(value, str) and "\n" in value else value
