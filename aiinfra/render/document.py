"""What a domain gives and gets when its resources are rendered: see `Domain.documents`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiinfra.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """One file."""

    kind: str
    """As in its file name: `Namespace`, `helm-release`."""
    name: str
    content: Mapping[str, Any]
    notes: Sequence[str] = ()
    """Comment lines above the content."""


@dataclass(frozen=True, slots=True)
class ShownResource:
    """One resource as a reader may see it: texts stand for secrets and for what is not known."""

    stack: str
    name: str
    """As its program calls it."""
    properties: Mapping[str, Any]
