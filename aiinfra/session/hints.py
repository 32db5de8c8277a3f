"""Names in hints of domains, which do not know the environment: they write `aiinfra doctor ENV`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from aiinfra.errors import AiinfraError

_COMMAND: Final = r"\b(aiinfra [a-z]+(?: [a-z]+)?) ENV\b"


def with_environment(hint: str, environment: str) -> str:
    """Return the hint with the environment's name in the commands that it gives."""
    return re.sub(_COMMAND, rf"\1 {environment}", hint)


@contextmanager
def hints_of(environment: str) -> Iterator[None]:
    """Inside, the hint of an error gets the environment's name."""
    try:
        yield
    except AiinfraError as error:
        error.record = replace(error.record, hint=with_environment(error.record.hint, environment))
        raise
