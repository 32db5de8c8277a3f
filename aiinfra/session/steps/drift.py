"""What a refresh found changed by hand, as our own resources keep it in the state until an `up` puts it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiinfra.providers.contract import NOT_REPAIRED

MOST: Final = 20
"""Sentences that are shown of one stack."""


def drift_in(deployment: Mapping[str, Any]) -> tuple[str, ...]:
    """One sentence for each field, of a stack's state in Pulumi's format."""
    resources = deployment.get("resources") or ()
    sentences = [
        str(line)
        for resource in resources
        if resource["type"].startswith("aiinfra:")
        for line in (resource.get("outputs") or {}).get("drift") or ()
    ]
    more = (f"and {len(sentences) - MOST} more",) if len(sentences) > MOST else ()
    return (*sentences[:MOST], *more)


def repairable(drift: Sequence[str]) -> bool:
    """Whether the next `up` puts all of it right."""
    return not any(NOT_REPAIRED in sentence for sentence in drift)
