"""Values with a unit, parsed once where they enter."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

_DURATION = re.compile(r"(\d+)(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def _seconds(raw: object) -> object:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and (found := _DURATION.fullmatch(raw)):
        return int(found[1]) * _SECONDS[found[2]]
    raise ValueError(f"{raw!r} is not a duration such as 90s, 20m or 1h")


Duration = Annotated[
    int,
    BeforeValidator(_seconds),
    Field(ge=1),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": r"^[0-9]+(s|m|h)$"}]}),
]
"""Seconds; written `90s`, `20m`, `1h`, or a number of seconds."""


class _Procedure:
    """Marker of an input that says how a run goes and not what it comes to."""


PROCEDURE = _Procedure()
"""A field with it is no part of a stack's digest: a change of it runs nothing, and holds from the next run on."""
Limit = Annotated[Duration, PROCEDURE]
"""How long something may take."""


_SIZE = re.compile(r"(\d+)(MiB|GiB|TiB)")
_MIB = {"MiB": 1, "GiB": 1024, "TiB": 1024 * 1024}


def _mib(raw: object) -> object:
    if isinstance(raw, str) and (found := _SIZE.fullmatch(raw)):
        return int(found[1]) * _MIB[found[2]]
    raise ValueError(f"{raw!r} is not a size such as 512MiB, 40GiB or 2TiB")


Size = Annotated[
    int,
    BeforeValidator(_mib),
    Field(ge=1),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(MiB|GiB|TiB)$"}),
]
"""MiB; written `512MiB`, `40GiB`, `2TiB`."""
