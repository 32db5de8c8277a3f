"""What a refresh found changed by hand, as our own resources keep it in the state until an `up` puts it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

MOST: Final = 20
"""Sentences that are shown of one stack."""


def drifted(deployment: Mapping[str, Any]) -> tuple[str, ...]:
    """One sentence for each field, of a stack's state in Pulumi's format."""
    resources = deployment.get("resources") or ()
    told = [
        str(line)
        for resource in resources
        if resource["type"].startswith("aiinfra:")
        for line in (resource.get("outputs") or {}).get("drift") or ()
    ]
    more = (f"and {len(told) - MOST} more",) if len(told) > MOST else ()
    return (*told[:MOST], *more)


def way_out(told: Sequence[str], environment: str) -> str:
    """What is said of a stack that is not as it was made."""
    from aiinfra.domains.kubernetes.provider.charted import NOT_BROUGHT_BACK

    if any(NOT_BROUGHT_BACK in line for line in told):
        return f"the world differs, and aiinfra up {environment} does not bring all of it back"
    return f"the world differs; aiinfra up {environment} repairs it"
