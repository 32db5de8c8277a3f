"""The values of scalars of YAML 1.2."""

from __future__ import annotations

import math
import re
from typing import Final

NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
TRUE: Final = frozenset({"true", "True", "TRUE"})
FALSE: Final = frozenset({"false", "False", "FALSE"})
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
WHOLE = re.compile(r"[-+]?[0-9]+")
OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
LARGEST: Final = 2**63 - 1


class Refused(Exception):
    """A scalar that has no value here."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def parse_scalar(text: str, *, quoted: bool) -> bool | int | float | str | None:
    """Return the value of a scalar. Raises `Refused`."""
    if quoted:
        return _text(text)
    if text in NOTHING:
        return None
    if text in TRUE or text in FALSE:
        return text in TRUE
    if NOT_FINITE.fullmatch(text):
        raise Refused(f"{text} is not a number that can be used", f'quote it if it is text: "{text}"')
    number = _number(text)
    return _text(text) if number is None else number


def _number(text: str) -> int | float | None:
    if WHOLE.fullmatch(text):
        return _whole(text, 10)
    if OTHER_BASE.fullmatch(text):
        return _whole(text, 0)
    if DECIMAL.fullmatch(text):
        return _finite(float(text), text)
    return None


def _whole(text: str, base: int) -> int:
    if len(text) > 30 or abs(number := int(text, base)) > LARGEST:
        raise Refused(f"the number {text[:20]}… is too large", "quote it if it is text")
    return number


def _finite(number: float, text: str) -> float:
    if not math.isfinite(number):
        raise Refused(f"the number {text} is too large", "quote it if it is text")
    return number


def _text(text: str) -> str:
    if "\0" in text:
        raise Refused("a NUL character cannot stand in a value")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Refused("half a surrogate pair cannot stand in a value")
    return text
