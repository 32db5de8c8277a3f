"""What is seen of what is waited for, sentence by sentence."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.objects.wants import (
    AllocatableWant,
    ClusterPolicyReady,
    NodesWant,
    ObjectWant,
    RolledOut,
    parse,
)

POLICY = ObjectRef("nvidia.com/v1", "ClusterPolicy", "cluster-policy")
DEPLOYMENT = ObjectRef("apps/v1", "Deployment", "op", "ns")


def a_policy(state: str, ready: dict[str, str], error: dict[str, str] | None = None) -> dict[str, Any]:
    conditions = [{"type": "Ready", **ready}, *([{"type": "Error", **error}] if error else [])]
    return {"kind": "ClusterPolicy", "metadata": {"name": "p"}, "status": {"state": state, "conditions": conditions}}


@pytest.mark.parametrize(
    ("policy", "holds", "says"),
    [
        (a_policy("ready", {"status": "True", "reason": "Reconciled"}), True, "ClusterPolicy cluster-policy is ready"),
        (
            a_policy("ready", {"status": "True", "reason": "NFDLabelsMissing", "message": "No NFD labels found"}),
            False,
            "ClusterPolicy cluster-policy is ready in name only, without a GPU at work "
            "(NFDLabelsMissing: No NFD labels found)",
        ),
        (
            a_policy("ready", {"status": "True", "reason": "NoGPUNodes"}),
            False,
            "ClusterPolicy cluster-policy is ready in name only, without a GPU at work (NoGPUNodes)",
        ),
        (
            a_policy("ready", {"status": "False", "reason": "Error"}),
            False,
            "ClusterPolicy cluster-policy is ready in name only, without a GPU at work (Error)",
        ),
        (
            a_policy(
                "notReady",
                {"status": "False", "reason": "Error"},
                {
                    "status": "True",
                    "reason": "OperandNotReady",
                    "message": "ClusterPolicy is not ready; states not ready: [state-driver state-dcgm]",
                },
            ),
            False,
            "ClusterPolicy cluster-policy is not ready (waits for state-driver, state-dcgm)",
        ),
        (
            a_policy(
                "notReady",
                {"status": "False", "reason": "Error"},
                {"status": "True", "reason": "ReconcileFailed", "message": "bad image"},
            ),
            False,
            "ClusterPolicy cluster-policy is not ready (ReconcileFailed: bad image)",
        ),
        ({"metadata": {"name": "p"}}, False, "ClusterPolicy cluster-policy is not ready"),
        (None, False, "ClusterPolicy cluster-policy is not there"),
    ],
)
def test_a_cluster_policy_is_ready_only_when_it_reconciled(policy: Any, holds: bool, says: str) -> None:
    verdict = ObjectWant(POLICY, ClusterPolicyReady()).judge(policy)
    assert (verdict.holds, verdict.sentence) == (holds, says)


def a_deployment(**status: int) -> dict[str, Any]:
    seen = {"observedGeneration": 2, "updatedReplicas": 2, "availableReplicas": 2, **status}
    return {"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": seen}


@pytest.mark.parametrize(
    ("deployment", "holds", "awaited"),
    [
        (a_deployment(), True, "Deployment ns/op: 2 of 2 pods available"),
        (a_deployment(availableReplicas=1), False, "Deployment ns/op: 1 of 2 pods available"),
        (a_deployment(updatedReplicas=0), False, "Deployment ns/op: 0 of 2 pods available"),
        (a_deployment(observedGeneration=1), False, "Deployment ns/op: not yet looked at by its controller"),
    ],
)
def test_a_rollout(deployment: Any, holds: bool, awaited: str) -> None:
    verdict = ObjectWant(DEPLOYMENT, RolledOut()).judge(deployment)
    assert (verdict.holds, verdict.progress) == (holds, awaited)


def a_daemon_set(strategy: str = "RollingUpdate", **status: int) -> dict[str, Any]:
    seen = {"desiredNumberScheduled": 2, "numberAvailable": 2, "updatedNumberScheduled": 2, **status}
    spec = {"updateStrategy": {"type": strategy}}
    return {"kind": "DaemonSet", "metadata": {"generation": 0}, "spec": spec, "status": seen}


@pytest.mark.parametrize(
    ("daemon_set", "holds", "awaited"),
    [
        (a_daemon_set(), True, "DaemonSet ns/d: 2 of 2 pods available"),
        (a_daemon_set(updatedNumberScheduled=1), False, "DaemonSet ns/d: 1 of 2 pods available"),
        (a_daemon_set("OnDelete", updatedNumberScheduled=1), True, "DaemonSet ns/d: 2 of 2 pods available"),
        (a_daemon_set(desiredNumberScheduled=0), False, "DaemonSet ns/d: no node to run on"),
    ],
)
def test_a_daemon_set_without_a_node_is_no_success(daemon_set: Any, holds: bool, awaited: str) -> None:
    verdict = ObjectWant(ObjectRef("apps/v1", "DaemonSet", "d", "ns"), RolledOut()).judge(daemon_set)
    assert (verdict.holds, verdict.progress) == (holds, awaited)


def a_node(gpus: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"labels": labels}, "status": {"allocatable": {"nvidia.com/gpu": gpus} if gpus else {}}}


def test_gpus_are_counted_over_all_nodes() -> None:
    nodes = [a_node("8", gpu="true"), a_node("4", gpu="true"), a_node("")]
    assert AllocatableWant("nvidia.com/gpu", 12).judge(nodes).holds
    fewer = AllocatableWant("nvidia.com/gpu", 16).judge(nodes)
    assert (fewer.holds, fewer.sentence) == (False, "nvidia.com/gpu has 12 of 16 allocatable")


def test_labels_are_counted_over_all_spellings() -> None:
    nodes = [a_node("", a="true"), a_node("", b="true"), a_node("", a="false")]
    verdict = NodesWant(("a=true", "b=true"), 2).judge(nodes)
    assert (verdict.holds, verdict.sentence) == (True, "the label a=true (or one like it) is on 2 of 2 nodes")


@pytest.mark.parametrize("want", [NodesWant(("a",), 0), AllocatableWant("nvidia.com/gpu", 0)])
def test_nothing_wanted_is_never_there(want: Any) -> None:
    assert not want.judge([]).holds


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"object": {"apiVersion": "v1", "kind": "Pod", "name": "p"}},
        {"object": {"kind": "Pod", "name": "p"}, "exists": True},
        {"object": {"apiVersion": "v1", "kind": "Pod", "name": "p"}, "field": "status.x"},
        {"nodes": {"label": "a"}},
        {"allocatable": {"resource": "nvidia.com/gpu", "at_least": None}},
    ],
)
def test_what_is_no_want_is_refused(raw: Any) -> None:
    with pytest.raises(ValueError, match="is no want"):
        parse(raw)
