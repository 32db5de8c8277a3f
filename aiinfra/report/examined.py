"""What `doctor` found, as values."""

from __future__ import annotations

from aiinfra.dataclass import dataclass
from aiinfra.stack import Finding


@dataclass(frozen=True, slots=True)
class Examined:
    """One finding and what was asked about."""

    subject: str
    """`machine`, `toolchain`, `secrets`, `state`, a domain, or a stack."""
    finding: Finding
