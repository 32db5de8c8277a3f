"""A new driver template: node by node through the states of a real operator, with the node cordoned meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.standin.upgrades import Upgrades
from aiinfra.domains.kubernetes.lab.controllers.effects import Patch, Remove
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View
from tests.unit.lab_controllers.world import NAMESPACE, a_gpu_node, a_pod, a_policy, a_view, an_object, an_operator, at

APP, VALIDATOR = "nvidia-driver-daemonset", "nvidia-operator-validator"
STATE = "nvidia.com/gpu-driver-upgrade-state"
FULL = (
    *("upgrade-required", "cordon-required", "wait-for-jobs-required", "pod-deletion-required"),
    *("pod-restart-required", "validation-required", "uncordon-required", "upgrade-done"),
)


def a_validator(node: str, *, ready: bool = True) -> Object:
    pod = a_pod(VALIDATOR, node, ready=ready)
    pod["metadata"]["ownerReferences"] = [{"uid": f"uid-of-{VALIDATOR}", "kind": "DaemonSet", "controller": True}]
    return pod


class Cluster:
    """Nodes, their drivers and what runs on them. Each pass does what the controller asks for."""

    def __init__(self, nodes: int = 2, *, template: str = "2", **rules: Any) -> None:
        self.template = template
        self.policy = a_policy(driver={"upgradePolicy": {"autoUpgrade": True, **rules}})
        self.nodes = {f"gpu-{n}": a_gpu_node(f"gpu-{n}") for n in range(nodes)}
        self.drivers = {name: self.a_driver(name, "1") for name in self.nodes}
        self.validators = {name: a_validator(name) for name in self.nodes}
        self.others: list[Object] = []
        self.budgets: list[Object] = []
        self.upgrades = Upgrades()
        self.clock = 0.0

    def a_driver(self, node: str, generation: str, *, ready: bool = True) -> Object:
        pod = a_pod(APP, node, ready=ready)
        pod["metadata"]["labels"]["pod-template-generation"] = generation
        pod["metadata"]["ownerReferences"] = [{"uid": f"uid-of-{APP}", "kind": "DaemonSet", "controller": True}]
        return pod

    def view(self) -> View:
        daemonset = an_object(
            "apps/v1", "DaemonSet", APP, NAMESPACE, status={"desiredNumberScheduled": len(self.nodes)}
        )
        daemonset["metadata"] |= {
            "labels": {"app": APP},
            "annotations": {"deprecated.daemonset.template.generation": self.template},
        }
        daemonset["spec"] = {"template": {"spec": {"containers": [{"name": "nvidia-driver-ctr"}]}}}
        running = [*self.drivers.values(), *self.validators.values(), *self.others]
        return a_view(an_operator(), self.policy, daemonset, *self.nodes.values(), *running, *self.budgets)

    def once(self) -> list[str]:
        """Do one pass; return what was done, `node: state` or `pod removed`."""
        done: list[str] = []
        for effect in self.upgrades.reconcile(self.view(), at(self.clock)):
            if isinstance(effect, Patch):
                done.append(f"{effect.ref.name}: {effect.body['metadata']['labels'][STATE]}")
                self._patch(self.nodes[effect.ref.name], effect.body)
            elif isinstance(effect, Remove):
                done.append(f"{effect.ref.name} removed")
                self._remove(effect.ref.name)
        return done

    def run(self, passes: int = 40) -> list[str]:
        """Do passes until nothing is left to do."""
        history: list[str] = []
        for _ in range(passes):
            step = self.once()
            history += step
            if not step:
                return history
        pytest.fail(f"it never ends: {history}")

    def states(self) -> dict[str, str]:
        return {name: node["metadata"]["labels"].get(STATE, "") for name, node in self.nodes.items()}

    def cordoned(self) -> list[str]:
        return [name for name, node in self.nodes.items() if node.get("spec", {}).get("unschedulable")]

    def _patch(self, node: Object, body: Object) -> None:
        for section, changed in (("labels", "labels"), ("annotations", "annotations")):
            merged = {**node["metadata"][section], **body["metadata"].get(changed, {})}
            node["metadata"][section] = {key: value for key, value in merged.items() if value is not None}
        node["spec"] = {**node.get("spec", {}), **body.get("spec", {})}

    def _remove(self, pod: str) -> None:
        for node, driver in self.drivers.items():
            if driver["metadata"]["name"] == pod:
                self.drivers[node] = self.a_driver(node, self.template)
        self.others = [other for other in self.others if other["metadata"]["name"] != pod]


def a_workload(node: str = "gpu-0", *, owner: str = "ReplicaSet", resource: str = "nvidia.com/gpu") -> Object:
    container = {"name": "train", "resources": {"limits": {resource: "1"}}}
    pod = a_pod("train", node, containers=[container])
    pod["metadata"]["ownerReferences"] = [{"uid": "of-train", "kind": owner, "controller": True}] if owner else []
    return pod


def test_a_node_goes_through_every_state_and_is_cordoned_meanwhile() -> None:
    cluster = Cluster(1)
    seen: list[tuple[str, bool]] = []
    for _ in range(9):
        cluster.once()
        now = (cluster.states()["gpu-0"], bool(cluster.cordoned()))
        seen += [] if seen and seen[-1] == now else [now]
    assert [state for state, _ in seen] == list(FULL)
    assert [state for state, cordoned in seen if cordoned] == list(FULL[2:-1])


def test_one_node_at_a_time() -> None:
    history = Cluster(3).run()
    ends = [history.index(f"gpu-{n}: upgrade-done") for n in range(3)]
    assert ends == sorted(ends)
    assert history.index("gpu-1: cordon-required") > ends[0]
    assert history.index("gpu-2: cordon-required") > ends[1]


@pytest.mark.parametrize(
    ("rules", "at_once"), [({"maxParallelUpgrades": 0}, 3), ({"maxParallelUpgrades": 2}, 2), ({}, 1)]
)
def test_as_many_in_parallel_as_the_policy_says(rules: dict[str, Any], at_once: int) -> None:
    cluster = Cluster(3, maxUnavailable="100%", **rules)
    cluster.once()
    assert sum("cordon-required" in step for step in cluster.once()) == at_once


def test_a_node_that_is_cordoned_by_hand_stops_the_others_and_stays_cordoned() -> None:
    cluster = Cluster(2, maxUnavailable="25%")
    cluster.nodes["gpu-1"]["spec"] = {"unschedulable": True}
    cluster.run()
    assert cluster.states() == {"gpu-0": "upgrade-required", "gpu-1": "upgrade-done"}
    assert cluster.cordoned() == ["gpu-1"]
    cluster.nodes["gpu-1"]["spec"] = {}
    cluster.run()
    assert cluster.states()["gpu-0"] == "upgrade-done"
    assert cluster.cordoned() == []


def test_pods_with_gpus_are_evicted_and_others_stay() -> None:
    cluster = Cluster(1)
    other = a_workload(resource="cpu")
    other["metadata"]["name"] = "web"
    cluster.others = [a_workload(), other]
    assert "train-gpu-0 removed" in cluster.run()
    assert [pod["metadata"]["name"] for pod in cluster.others] == ["web"]


@pytest.mark.parametrize("owner", ["", "DaemonSet"])
def test_a_pod_that_nobody_would_make_anew_fails_the_node_and_the_node_stays_cordoned(owner: str) -> None:
    cluster = Cluster(1)
    cluster.others = [a_workload(owner=owner)]
    assert "train-gpu-0 removed" not in cluster.run()
    assert cluster.states() == {"gpu-0": "upgrade-failed"}
    assert cluster.cordoned() == ["gpu-0"]


def test_a_pod_with_scratch_data_fails_the_node_unless_the_policy_gives_it_up() -> None:
    scratch = a_workload()
    scratch["spec"]["volumes"] = [{"name": "scratch", "emptyDir": {}}]
    kept, given_up = Cluster(1), Cluster(1, podDeletion={"deleteEmptyDir": True})
    kept.others, given_up.others = [scratch], [scratch]
    kept.run()
    given_up.run()
    assert (kept.states()["gpu-0"], given_up.states()["gpu-0"]) == ("upgrade-failed", "upgrade-done")


def test_a_budget_that_lets_no_pod_go_fails_the_node_in_time() -> None:
    cluster = Cluster(1, podDeletion={"timeoutSeconds": 60})
    pod = a_workload()
    cluster.others = [pod]
    budget = an_object("policy/v1", "PodDisruptionBudget", "train", NAMESPACE, status={"disruptionsAllowed": 0})
    budget["spec"] = {"selector": {"matchLabels": {"app": "train"}}}
    cluster.budgets = [budget]
    cluster.run()
    assert cluster.states() == {"gpu-0": "pod-deletion-required"}
    cluster.clock = 60.0
    cluster.run()
    assert cluster.states() == {"gpu-0": "upgrade-failed"}


def test_with_a_drain_what_cannot_be_evicted_alone_is_drained() -> None:
    cluster = Cluster(1, drain={"enable": True, "force": True})
    cluster.others = [a_workload(owner="")]
    history = cluster.run()
    assert "gpu-0: drain-required" in history
    assert history.index("train-gpu-0 removed") < history.index("gpu-0: pod-restart-required")


def test_jobs_are_waited_for_where_the_policy_names_them() -> None:
    cluster = Cluster(1, waitForCompletion={"podSelector": "app=train", "timeoutSeconds": 30})
    cluster.others = [a_workload()]
    cluster.run()
    assert cluster.states() == {"gpu-0": "wait-for-jobs-required"}
    cluster.clock = 30.0
    cluster.run()
    assert cluster.states() == {"gpu-0": "upgrade-done"}


def test_validation_waits_for_the_validator_of_the_node() -> None:
    cluster = Cluster(1)
    cluster.validators = {"gpu-0": a_validator("gpu-0", ready=False)}
    cluster.run()
    assert cluster.states() == {"gpu-0": "validation-required"}
    cluster.validators = {"gpu-0": a_validator("gpu-0")}
    cluster.run()
    assert cluster.states() == {"gpu-0": "upgrade-done"}


def a_crashing(cluster: Cluster, generation: str = "2") -> Object:
    pod = cluster.a_driver("gpu-0", generation, ready=False)
    pod["status"]["containerStatuses"] = [{"ready": False, "restartCount": 11}]
    return pod


def a_failed_cluster() -> Cluster:
    cluster = Cluster(1)
    while cluster.states()["gpu-0"] != "pod-restart-required":
        cluster.once()
    cluster.drivers["gpu-0"] = a_crashing(cluster)
    cluster.run()
    return cluster


def test_a_driver_that_crashes_too_often_fails_the_upgrade_and_a_corrected_one_is_not_tried() -> None:
    cluster = a_failed_cluster()
    assert cluster.states() == {"gpu-0": "upgrade-failed"}
    cluster.template = "3"
    assert cluster.run() == []
    assert cluster.cordoned() == ["gpu-0"]


@pytest.mark.parametrize("label", ["upgrade-required", None])
def test_a_failed_node_is_tried_again_once_its_label_says_so_or_is_gone(label: str | None) -> None:
    cluster = a_failed_cluster()
    cluster.template = "3"
    node = cluster.nodes["gpu-0"]["metadata"]["labels"]
    node.update({STATE: label}) if label else node.pop(STATE)
    cluster.run()
    assert cluster.states() == {"gpu-0": "upgrade-done"}
    assert cluster.drivers["gpu-0"]["metadata"]["labels"]["pod-template-generation"] == "3"


def test_a_failed_node_recovers_once_its_driver_runs_all_the_same() -> None:
    cluster = a_failed_cluster()
    cluster.drivers["gpu-0"] = cluster.a_driver("gpu-0", "2")
    cluster.run()
    assert cluster.states() == {"gpu-0": "upgrade-done"}
    assert cluster.cordoned() == []


def test_what_installs_the_same_driver_restarts_it_without_evicting_anybody() -> None:
    cluster = Cluster(1)
    same = [{"name": "nvidia-driver-ctr", "env": [{"name": "DRIVER_CONFIG_DIGEST", "value": "same"}]}]
    cluster.drivers["gpu-0"]["spec"]["containers"] = same
    cluster.others = [a_workload()]
    view = cluster.view()
    view.of("DaemonSet")[0]["spec"]["template"]["spec"]["containers"] = same
    node = cluster.nodes["gpu-0"]
    node["metadata"]["labels"][STATE] = "upgrade-required"
    (effect,) = cluster.upgrades.reconcile(view, at(0.0))
    assert isinstance(effect, Patch)
    assert effect.body["metadata"]["labels"] == {STATE: "pod-restart-required"}
    assert effect.body["spec"] == {"unschedulable": True}


def test_nothing_moves_while_a_driver_has_no_pod() -> None:
    cluster = Cluster(2)
    del cluster.drivers["gpu-0"]
    assert cluster.once() == []


def test_a_node_that_is_to_be_skipped_keeps_its_driver() -> None:
    cluster = Cluster(1)
    cluster.nodes["gpu-0"]["metadata"]["labels"]["nvidia.com/gpu-driver-upgrade.skip"] = "true"
    cluster.run()
    assert cluster.states() == {"gpu-0": "upgrade-required"}


def test_without_automatic_upgrades_old_drivers_stay_and_states_go() -> None:
    cluster = Cluster(1, autoUpgrade=False)
    cluster.nodes["gpu-0"]["metadata"]["labels"][STATE] = "upgrade-done"
    assert cluster.run() == ["gpu-0: None"]


def test_while_the_operator_does_not_run_nobody_upgrades() -> None:
    cluster = Cluster(1)
    view = cluster.view()
    without = View({kind: found for kind, found in view.by_kind.items() if kind != "Deployment"})
    assert list(cluster.upgrades.reconcile(without, at(0.0))) == []
