"""How the causes of a failure are listed: a chain down to its root, then further roots of their own."""

from __future__ import annotations

from collections.abc import Sequence

ALSO = "and also "
"""Begins a cause that is a root of its own, beside the chain."""


def roots(causes: Sequence[str]) -> str:
    """The root of the chain, and the further ones: `no image for this kernel, and also …`."""
    chain = [cause for cause in causes if not cause.startswith(ALSO)]
    return ", ".join((*chain[-1:], *(cause for cause in causes if cause.startswith(ALSO))))
