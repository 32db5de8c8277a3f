"""`vcenter:` of an environment file, and of a stack that needs another one than the file's."""

from __future__ import annotations

import re
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from aiinfra.stack import Input

FIELD: Final = "vcenter"
"""The input by which a kind says that it works in a vCenter; the file's block is its default."""

_SHA256 = re.compile(r"([0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31})?")


def _sha256(text: str) -> str:
    if not _SHA256.fullmatch(text):
        raise ValueError("wants SHA-256: 64 hexadecimal digits, with or without colons")
    return text


class VCenterSpec(BaseModel):
    """How to reach a vCenter."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    host: Input[str]
    user: Input[str]
    password: Input[str]
    """Password of the account, usually `${env:NAME}` or `${file:PATH}`."""
    port: Annotated[int, Field(ge=1, le=65535)] = 443
    ca: Input[str] = ""
    """Authorities to trust instead of the system's, PEM: as a rule `${file:PATH}`."""
    fingerprint: Annotated[str, AfterValidator(_sha256)] = ""
    """SHA-256 of the certificate: pins it in place of any authority."""
    insecure: bool = False
    """Accept any certificate."""

    @model_validator(mode="after")
    def _one_way_to_trust(self) -> Self:
        ways = [name for name in ("ca", "fingerprint", "insecure") if getattr(self, name)]
        if len(ways) > 1:
            raise ValueError(f"{' and '.join(ways)} say how to trust the certificate; only one of them can")
        return self
