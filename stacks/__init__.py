"""The kinds that aiinfra can build. One folder a kind, one line here."""

from __future__ import annotations

from aiinfra.stack import StackType

CATALOG: tuple[StackType, ...] = ()  # type: ignore[type-arg]  # kinds of any inputs and outputs
