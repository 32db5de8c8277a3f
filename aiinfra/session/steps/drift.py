"""Changes by hand that a refresh found, as our resources keep them in the state until an `up` reverts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiinfra.providers.contract import NOT_REPAIRED

MAX_SHOWN: Final = 20
"""Sentences that are shown for one stack at most."""


def drift_in(deployment: Mapping[str, Any]) -> tuple[str, ...]:
    """Return one sentence for each changed field in a stack's state, which is in Pulumi's format."""
    resources = deployment.get("resources") or ()
    sentences = [
        str(line)
        for resource in resources
        if resource["type"].startswith("aiinfra:")
        for line in (resource.get("outputs") or {}).get("drift") or ()
    ]
    more = (f"and {len(sentences) - MAX_SHOWN} more",) if len(sentences) > MAX_SHOWN else ()
    return (*sentences[:MAX_SHOWN], *more)


def repairable(drift: Sequence[str]) -> bool:
    """Return whether the next `up` reverts all of it."""
    return not any(NOT_REPAIRED in sentence for sentence in drift)
