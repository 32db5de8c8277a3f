"""A new driver template: pods of the old one are replaced, as many nodes at a time as the policy says."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.standin.upgrades import reconcile
from aiinfra.domains.kubernetes.lab.controllers.effects import Patch, Remove
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View
from tests.unit.lab_controllers.world import MOMENT, NAMESPACE, a_gpu_node, a_pod, a_policy, a_view, an_object

APP = "nvidia-driver-daemonset"


def a_driver(node: str, generation: str, *, ready: bool = True) -> Object:
    pod = a_pod(APP, node, ready=ready)
    pod["metadata"]["labels"]["pod-template-generation"] = generation
    pod["metadata"]["ownerReferences"] = [{"uid": "uid-of-" + APP}]
    return pod


def a_cluster(*drivers: Object, **upgrade_policy: Any) -> View:
    daemonset = an_object("apps/v1", "DaemonSet", APP, NAMESPACE)
    daemonset["metadata"] |= {
        "labels": {"app": APP},
        "annotations": {"deprecated.daemonset.template.generation": "2"},
    }
    policy = a_policy(driver={"upgradePolicy": {"autoUpgrade": True, **upgrade_policy}})
    return a_view(policy, daemonset, a_gpu_node("gpu-0"), a_gpu_node("gpu-1"), *drivers)


def told(view: View) -> dict[str, str]:
    """Node to its new upgrade state, and `restarted` for pods that go."""
    effects = list(reconcile(view, MOMENT))
    marks = {
        e.ref.name: e.body["metadata"]["labels"]["nvidia.com/gpu-driver-upgrade-state"]
        for e in effects
        if isinstance(e, Patch)
    }
    return marks | {e.ref.name: "restarted" for e in effects if isinstance(e, Remove)}


def test_one_node_at_a_time() -> None:
    assert told(a_cluster(a_driver("gpu-0", "1"), a_driver("gpu-1", "1"))) == {
        "gpu-0": "pod-restart-required",
        f"{APP}-gpu-0": "restarted",
        "gpu-1": "upgrade-required",
    }


def test_the_next_node_waits_until_the_first_is_ready_again() -> None:
    assert told(a_cluster(a_driver("gpu-0", "2", ready=False), a_driver("gpu-1", "1"))) == {"gpu-1": "upgrade-required"}
    assert told(a_cluster(a_driver("gpu-0", "2"), a_driver("gpu-1", "1"))) == {
        "gpu-0": "upgrade-done",
        "gpu-1": "pod-restart-required",
        f"{APP}-gpu-1": "restarted",
    }


def test_the_next_node_waits_also_while_the_first_has_no_pod() -> None:
    view = a_cluster(a_driver("gpu-1", "1"))
    node = view.find("Node", "gpu-0")
    assert node is not None
    node["metadata"]["labels"]["nvidia.com/gpu-driver-upgrade-state"] = "pod-restart-required"
    assert told(view) == {"gpu-1": "upgrade-required"}


@pytest.mark.parametrize(("parallel", "restarted"), [(0, 2), (2, 2), (1, 1)])
def test_as_many_in_parallel_as_the_policy_says(parallel: int, restarted: int) -> None:
    view = a_cluster(a_driver("gpu-0", "1"), a_driver("gpu-1", "1"), maxParallelUpgrades=parallel)
    assert list(told(view).values()).count("restarted") == restarted


def test_without_automatic_upgrades_old_drivers_stay() -> None:
    assert told(a_cluster(a_driver("gpu-0", "1"), autoUpgrade=False)) == {}
