"""What the state of a stack says of clusters: where it works, and which definitions and releases are its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.domain_run import RunContext

DEFINITIONS: Final = "aiinfra:kubernetes:CustomResourceDefinitions"
RELEASE: Final = "kubernetes:helm.sh/v3:Release"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the state says of one stack."""

    stack: str
    uids: frozenset[str]
    """Identities of the clusters that its resources name."""
    names: tuple[str, ...] = ()
    """CRDs that its chart brings."""
    brought: tuple[str, ...] = ()
    """Those that were absent when it was made."""
    releases: tuple[tuple[str, str], ...] = ()
    """Namespace and name of its Helm releases, also of one whose installation was cut off."""


def recorded(run: RunContext, stack: str) -> Recorded:
    """Read the state of a stack; empty when there is none."""
    deployment = run.deployment(stack) if run.existed(stack) else {}
    found = [*(deployment.get("resources") or ())]
    found += [one["resource"] for one in deployment.get("pending_operations") or ()]
    uids = {uid for one in found if isinstance(uid := _value(one, "uid"), str)}
    definitions = [one for one in found if one["type"] == DEFINITIONS]
    releases = [(str(_value(one, "namespace")), str(_value(one, "name"))) for one in found if one["type"] == RELEASE]
    return Recorded(
        stack,
        frozenset(uids),
        tuple(name for one in definitions for name in _value(one, "names") or ()),
        tuple(name for one in definitions for name in _value(one, "brought") or ()),
        tuple(releases),
    )


def _value(resource: Mapping[str, Any], key: str) -> Any:
    outputs, inputs = resource.get("outputs") or {}, resource.get("inputs") or {}
    return outputs.get(key, inputs.get(key))
