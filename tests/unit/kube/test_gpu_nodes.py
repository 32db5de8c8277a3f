"""Which nodes with GPUs count, why others do not, what they offer and what changed on them."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.objects.gpu_nodes import (
    GpuNodesWant,
    GpuUnitsWant,
    changed_since,
    gpu_nodes_want,
    stands_on,
)
from aiinfra.domains.kubernetes.objects.node_state import Toleration, obstacles

LABEL = "feature.node.kubernetes.io/pci-10de.present=true"
SINCE = "2026-07-01T12:00:00Z"
GPU_TAINT = Toleration("nvidia.com/gpu", "Exists", effect="NoSchedule")
DEDICATED = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}


def a_node(
    name: str, offers: dict[str, str] | None = None, *, spec: dict[str, Any] | None = None, ready: str = "True",
    labels: dict[str, str] | None = None, uid: str = "", boot: str = "",
) -> dict[str, Any]:  # fmt: skip
    gone = {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": SINCE, **({} if ready == "True" else gone)}
    key, _, value = LABEL.partition("=")
    return {
        "metadata": {"name": name, "uid": uid or f"uid-{name}", "labels": {key: value, **(labels or {})}},
        "spec": spec or {},
        "status": {"conditions": [condition], "allocatable": {"nvidia.com/gpu": "8"} if offers is None else offers,
                   "nodeInfo": {"bootID": boot}},
    }  # fmt: skip


CORDONED = {"unschedulable": True, "taints": [
    {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": SINCE}]}  # fmt: skip


@pytest.mark.parametrize(
    ("node", "why"),
    [
        (a_node("gpu-1", spec=CORDONED), f"gpu-1 is cordoned since {SINCE}"),
        (
            a_node("gpu-1", ready="Unknown"),
            f"gpu-1 is NotReady since {SINCE} (NodeStatusUnknown: Kubelet stopped posting node status)",
        ),
        (
            a_node("gpu-1", spec={"taints": [DEDICATED]}),
            "gpu-1 has the taint dedicated=gpu:NoSchedule, which is not tolerated",
        ),
        (
            a_node("gpu-1", labels={"nvidia.com/gpu.deploy.operands": "false"}),
            "gpu-1 has the label nvidia.com/gpu.deploy.operands=false",
        ),
    ],
)
def test_a_node_that_takes_no_pod_does_not_count_and_is_named(node: dict[str, Any], why: str) -> None:
    want = GpuNodesWant((LABEL,), 2, (GPU_TAINT,))
    verdict = want.judge([a_node("gpu-0"), node])
    assert not verdict.holds
    assert (
        verdict.sentence == f"the label {LABEL} is on 1 of 2 nodes that are Ready and schedulable (not counted: {why})"
    )
    assert GpuNodesWant((LABEL,), 1, (GPU_TAINT,)).judge([a_node("gpu-0"), node]).holds


def test_nodes_that_all_count_are_told_as_plainly_as_before() -> None:
    want = GpuNodesWant((LABEL,), 2)
    assert want.judge([a_node("gpu-0"), a_node("gpu-1")]).sentence == f"the label {LABEL} is on 2 of 2 nodes"


def test_a_tainted_node_counts_when_the_operator_tolerates_the_taint() -> None:
    tainted = a_node("gpu-0", spec={"taints": [DEDICATED]})
    for toleration, counts in [
        (Toleration("dedicated", "Equal", "gpu", "NoSchedule"), True),
        (Toleration("dedicated", "Equal", "cpu"), False),
        (Toleration("dedicated", "Exists", effect="NoExecute"), False),
        (Toleration(operator="Exists"), True),
    ]:
        assert GpuNodesWant((LABEL,), 1, (toleration,)).judge([tainted]).holds is counts


def test_a_cordon_without_a_taint_is_as_old_as_the_write_of_its_field() -> None:
    node = a_node("gpu-0", spec={"unschedulable": True})
    node["metadata"]["managedFields"] = [{"time": SINCE, "fieldsV1": {"f:spec": {"f:unschedulable": {}}}}]
    assert [o.message for o in obstacles(node)] == [f"is cordoned since {SINCE}"]
    assert [o.hint for o in obstacles(node)] == ["kubectl uncordon gpu-0"]


SLICES = {"nvidia.com/mig-1g.5gb": "7", "nvidia.com/gpu": "0"}
GPU, MIXED = ("nvidia.com/gpu",), ("nvidia.com/gpu", "nvidia.com/mig-*")


@pytest.mark.parametrize(
    ("resources", "expected", "nodes", "says"),
    [
        (GPU, 16, [a_node("gpu-0"), a_node("gpu-1")], "nvidia.com/gpu has 16 of 16 allocatable"),
        (
            GPU,
            16,
            [a_node("gpu-0"), a_node("gpu-1", {})],
            "nvidia.com/gpu has 8 of 16 allocatable (gpu-1 offers no nvidia.com/gpu)",
        ),
        (
            GPU,
            16,
            [a_node("gpu-0"), a_node("gpu-1", {"nvidia.com/gpu": "4"})],
            "nvidia.com/gpu has 12 of 16 allocatable (gpu-0 offers 8 nvidia.com/gpu, gpu-1 offers 4 nvidia.com/gpu)",
        ),
        (
            GPU,
            8,
            [a_node("gpu-0", {"nvidia.com/gpu.shared": "32"})],
            "nvidia.com/gpu has 0 of 8 allocatable (gpu-0 offers no nvidia.com/gpu but 32 nvidia.com/gpu.shared)",
        ),
        (
            GPU,
            7,
            [a_node("gpu-0", SLICES)],
            "nvidia.com/gpu has 0 of 7 allocatable (gpu-0 offers no nvidia.com/gpu but 7 nvidia.com/mig-1g.5gb)",
        ),
        (
            MIXED,
            15,
            [a_node("gpu-0", SLICES), a_node("gpu-1")],
            "nvidia.com/gpu or nvidia.com/mig-* has 15 of 15 allocatable",
        ),
    ],
)
def test_what_nodes_offer_is_told_by_node(
    resources: tuple[str, ...], expected: int, nodes: list[dict[str, Any]], says: str
) -> None:
    want = GpuUnitsWant.of(resources, expected, GpuNodesWant((LABEL,), 1))
    verdict = want.judge(nodes)
    assert verdict.sentence == says
    assert verdict.holds is ("(" not in says)


def test_a_node_without_a_gpu_fails_though_the_others_offer_enough() -> None:
    verdict = GpuUnitsWant.of(GPU, 8, GpuNodesWant((LABEL,), 1)).judge([a_node("gpu-0"), a_node("gpu-1", {})])
    assert not verdict.holds
    assert verdict.sentence == "nvidia.com/gpu has 8 of 8 allocatable (gpu-1 offers no nvidia.com/gpu)"


def test_each_node_is_asked_for_what_it_offers() -> None:
    nodes = [a_node("gpu-1"), a_node("gpu-0", SLICES), a_node("gpu-2", spec=CORDONED)]
    assert GpuUnitsWant.of(MIXED, 15, GpuNodesWant((LABEL,), 1)).offering(nodes) == {
        "gpu-0": "nvidia.com/mig-1g.5gb",
        "gpu-1": "nvidia.com/gpu",
    }


DRIVER = {"nvidia.com/cuda.driver-version.full": "580.95.05"}


@pytest.mark.parametrize(
    ("now", "says"),
    [
        ([a_node("gpu-0", labels=DRIVER)], []),
        ([a_node("gpu-0", labels={**DRIVER, "nvidia.com/mig.config": "all-disabled"})], []),
        ([a_node("gpu-0", labels=DRIVER, uid="other")], ["node gpu-0 was replaced"]),
        ([a_node("gpu-0", labels=DRIVER), a_node("gpu-1")], ["node gpu-1 was added"]),
        ([], ["node gpu-0 is gone"]),
        ([a_node("gpu-0", labels=DRIVER, spec=CORDONED)], [f"node gpu-0 is cordoned since {SINCE}"]),
        ([a_node("gpu-0", {"nvidia.com/gpu": "7"}, labels=DRIVER)], ["node gpu-0: nvidia.com/gpu was 8, is 7"]),
        (
            [a_node("gpu-0", labels={"nvidia.com/cuda.driver-version.full": "580.105.08"})],
            ["node gpu-0: nvidia.com/cuda.driver-version.full was 580.95.05, is 580.105.08"],
        ),
    ],
)
def test_what_changed_under_a_proof_is_named(now: list[dict[str, Any]], says: list[str]) -> None:
    want = GpuUnitsWant.of(GPU, 8, gpu_nodes_want(1, (GPU_TAINT,)))
    assert changed_since(stands_on([a_node("gpu-0", labels=DRIVER)], want), now) == says


def test_a_reboot_is_a_change_under_a_proof_and_is_named_after_what_else_changed() -> None:
    want = GpuUnitsWant.of(GPU, 8, gpu_nodes_want(1, (GPU_TAINT,)))
    proved_on = stands_on([a_node("gpu-0", boot="5b6c"), a_node("gpu-1", boot="77aa")], want)
    rebooted = "node gpu-0 was rebooted, which loads its driver anew"
    assert changed_since(proved_on, [a_node("gpu-0", boot="9e1f"), a_node("gpu-1", boot="77aa")]) == [rebooted]
    fewer = a_node("gpu-0", {"nvidia.com/gpu": "7"}, boot="9e1f")
    assert changed_since(proved_on, [fewer, a_node("gpu-1", boot="77aa")]) == ["node gpu-0: nvidia.com/gpu was 8, is 7"]
    before = stands_on([a_node("gpu-0")], want)
    assert changed_since(before, [a_node("gpu-0", boot="9e1f")]) == []
