"""The marks of what we make in a vCenter, which are keys of `extraConfig`, and names that follow from its owner."""

from __future__ import annotations

from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.stack import MARK_ENVIRONMENT, MARK_ID, MARK_STACK

MARK_SPEC: Final = "aiinfra.dev/spec"
"""The digest of a template's content."""
MARK_DOMAIN: Final = "aiinfra.dev/failure-domain"
MARK_SOURCE: Final = "aiinfra.dev/source"
"""The digest of the imported image that it was cloned from."""
MARK_NAME: Final = "aiinfra.dev/name"
"""The name that it was made with, which tells it from a clone: that inherits the mark and has another name."""
MARK_INSTANCE: Final = "aiinfra.dev/instance"
"""Its `instanceUuid`, which no clone has: it tells a template that was renamed by hand from somebody's clone."""
MARK_STEP: Final = "aiinfra.dev/step"
"""How far it is made, or that it is a proof: one of the following."""
CLONED: Final = "cloned"
CONFIGURED: Final = "configured"
PROOF: Final = "proof"
"""A throw-away clone that is powered on."""
MARKS: Final = (
    MARK_ENVIRONMENT,
    MARK_ID,
    MARK_STACK,
    MARK_DOMAIN,
    MARK_SPEC,
    MARK_SOURCE,
    MARK_STEP,
    MARK_NAME,
    MARK_INSTANCE,
)
HASH_DIGITS: Final = 8
"""Digits of a template's digest in its name."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The stack that a template belongs to."""

    environment: str
    environment_id: str
    stack: str

    def marks(self) -> dict[str, str]:
        """Return the marks that name the owner."""
        return {MARK_ENVIRONMENT: self.environment, MARK_ID: self.environment_id, MARK_STACK: self.stack}


def template_name(environment: str, stack: str, digest: str = "0" * HASH_DIGITS) -> str:
    """Return `<environment>-<stack>-<hash8>`, perhaps too long for a vCenter; without a digest, of the same length."""
    return f"{environment}-{stack}-{digest[:HASH_DIGITS]}"
