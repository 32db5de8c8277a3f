"""Where the pods of a DaemonSet may run: its node selector, and the taints that it does not tolerate. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.diagnosis.cause import Cause, Weight
from aiinfra.domains.kubernetes.diagnosis.snapshot import Snapshot, labels, name

UNSCHEDULED = frozenset({"NoSchedule", "NoExecute"})
OWN_TAINTS = ("node.kubernetes.io/",)
"""Taints that the node lifecycle controller sets; DaemonSet pods tolerate them."""


def no_node(snapshot: Snapshot, daemonset: Object) -> list[Cause]:
    """Return why no node takes the DaemonSet: every node it selects has a taint, or it selects none."""
    repelled = list(untolerated_taints(snapshot, daemonset))
    if repelled:
        return repelled
    wanted = ",".join(f"{key}={value}" for key, value in _selector(daemonset).items())
    lacking = f"{name(daemonset)} matches no node" + (f": none is labelled {wanted}" if wanted else "")
    return [Cause(lacking, "label the nodes as its selector asks", weight=Weight.BLOCKED)]


def untolerated_taints(snapshot: Snapshot, daemonset: Object) -> Iterator[Cause]:
    """Yield a cause for each selected node without a pod whose taint the DaemonSet does not tolerate."""
    present = {pod["spec"].get("nodeName") for pod in snapshot.owned(daemonset, "Pod")}
    tolerations = _template(daemonset).get("tolerations") or ()
    for node in snapshot.all("Node"):
        if name(node) in present or not _selector(daemonset).items() <= labels(node).items():
            continue
        for taint in node.get("spec", {}).get("taints") or ():
            if _repels(taint, tolerations):
                text = taint["key"] + (f"={taint['value']}" if taint.get("value") else "") + f":{taint['effect']}"
                hint = f"add a toleration for {taint['key']} to the stack that installs it, or take the taint off"
                yield Cause(f"{name(daemonset)} may not run on {name(node)}, which has the taint {text}", hint)


def _template(daemonset: Object) -> Mapping[str, Any]:
    found: Mapping[str, Any] = daemonset["spec"]["template"]["spec"]
    return found


def _selector(daemonset: Object) -> Mapping[str, str]:
    return _template(daemonset).get("nodeSelector") or {}


def _repels(taint: Mapping[str, Any], tolerations: Sequence[Mapping[str, Any]]) -> bool:
    if taint["effect"] not in UNSCHEDULED or taint["key"].startswith(OWN_TAINTS):
        return False
    return not any(_tolerates(toleration, taint) for toleration in tolerations)


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    key, effect = toleration.get("key"), toleration.get("effect")
    same_key = (key == taint["key"]) if key else toleration.get("operator") == "Exists"
    same_value = toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")
    return same_key and same_value and effect in (None, "", taint["effect"])
