"""Kubernetes quantities of whole devices."""

from __future__ import annotations

_SUFFIX = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}


def count(quantity: str | int | None) -> int:
    """Return the whole units of an extended resource: `8`, `1k`; None is 0. Raises `ValueError` for anything else."""
    text = str(quantity or "0")
    digits = text.rstrip("kMG")
    return int(digits) * _SUFFIX[text[len(digits) :]]
