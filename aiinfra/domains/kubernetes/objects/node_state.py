"""Whether a node takes pods, and if not, why and since when. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.objects import Object

REPELLING: Final = frozenset({"NoSchedule", "NoExecute"})
CORDON_TAINT: Final = "node.kubernetes.io/unschedulable"
READINESS_TAINTS: Final = frozenset({CORDON_TAINT, "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"})
"""Taints that only repeat what the condition Ready and the cordon say."""


@dataclass(frozen=True, slots=True)
class Toleration:
    """A taint that pods accept, as the API writes it: without an operator, the values must be equal."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Toleration:
        texts = {key: str(raw[key]) for key in ("key", "operator", "value", "effect") if raw.get(key)}
        return cls(**texts)

    def as_json(self) -> dict[str, str]:
        return {key: value for key, value in asdict(self).items() if value}

    def tolerates(self, taint: Mapping[str, Any]) -> bool:
        same_key = self.key == taint["key"] if self.key else self.operator == "Exists"
        same_value = self.operator == "Exists" or self.value == (taint.get("value") or "")
        return same_key and same_value and self.effect in ("", taint["effect"])


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason why a node takes no pod."""

    message: str
    """To stand behind the node's name: `is cordoned since 2026-07-01T12:00:00Z`."""
    hint: str


def obstacles(node: Object, tolerations: Sequence[Toleration] | None = None) -> list[Obstacle]:
    """Why no pod with these tolerations starts on the node; with None, its taints are not judged."""
    found = [*_not_ready(node), *_cordoned(node)]
    return found if tolerations is None else [*found, *_taints(node, tolerations)]


def _not_ready(node: Object) -> Iterator[Obstacle]:
    conditions = node.get("status", {}).get("conditions") or ()
    ready = next((c for c in conditions if c.get("type") == "Ready"), None)
    hint = f"look at the kubelet of {node['metadata']['name']}"
    if ready is None:
        yield Obstacle("is NotReady: its kubelet has never reported", hint)
    elif ready.get("status") != "True":
        why = ": ".join(str(ready[key]).rstrip(".") for key in ("reason", "message") if ready.get(key))
        yield Obstacle(f"is NotReady{_since(ready.get('lastTransitionTime'))}" + (f" ({why})" if why else ""), hint)


def _cordoned(node: Object) -> Iterator[Obstacle]:
    if node.get("spec", {}).get("unschedulable"):
        taint = next((t for t in _all_taints(node) if t["key"] == CORDON_TAINT), {})
        since = taint.get("timeAdded") or _written(node, "f:unschedulable")
        yield Obstacle(f"is cordoned{_since(since)}", f"kubectl uncordon {node['metadata']['name']}")


def _taints(node: Object, tolerations: Sequence[Toleration]) -> Iterator[Obstacle]:
    for taint in _all_taints(node):
        if taint["effect"] not in REPELLING or taint["key"] in READINESS_TAINTS:
            continue
        if not any(toleration.tolerates(taint) for toleration in tolerations):
            text = taint["key"] + (f"={taint['value']}" if taint.get("value") else "") + f":{taint['effect']}"
            since = _since(taint.get("timeAdded") or _written(node, "f:taints"))
            hint = f"add a toleration for {taint['key']} to the stack of kind gpu_operator, or take the taint off"
            yield Obstacle(f"has the taint {text}{since}, which is not tolerated", hint)


def _all_taints(node: Object) -> Sequence[Mapping[str, Any]]:
    return node.get("spec", {}).get("taints") or ()


def _written(node: Object, field: str) -> str:
    """When a field of the spec was last written; empty when the API server does not tell."""
    managed = node["metadata"].get("managedFields") or ()
    times = (str(m.get("time") or "") for m in managed if field in (m.get("fieldsV1") or {}).get("f:spec", {}))
    return max(times, default="")


def _since(time: object) -> str:
    return f" since {time}" if time else ""
