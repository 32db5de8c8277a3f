"""What a proof says of nodes that are cordoned, tainted, silent, sliced, shared or without GPUs, in a lab."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.waiting import Pending, Waiter
from tests.integration.spine.lab_site import cluster
from tests.integration.spine.site import Site, Told, follow

pytestmark = [pytest.mark.engine, pytest.mark.lab]
LABEL = "feature.node.kubernetes.io/pci-10de.present=true"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
TAINT = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}
HERE = [
    {"key": "nvidia.com/gpu", "effect": "NoSchedule"},
    {"key": "dedicated", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"},
]
GPU_1 = ObjectRef("v1", "Node", "gpu-1")
QUICK = ("--set", "stacks.gpu-proof.limit=4s")
NFD: dict[str, Any] = {"kind": "nfd", "cluster": "${cluster}"}
OPERATOR: dict[str, Any] = {"kind": "gpu_operator", "cluster": "${cluster}", "nfd": "${nfd}"}
PROOF: dict[str, Any] = {
    "kind": "gpu_proof",
    "cluster": "${cluster}",
    "operator": "${gpu-operator}",
    "expect": {"nodes": 2, "gpus": 16},
}


def write(site: Site, nfd: Any = None, operator: Any = None, proof: Any = None, **more: Any) -> None:
    stacks = {
        "cluster": {"kind": "existing_cluster"},
        "nfd": {**NFD, **(nfd or {})},
        "gpu-operator": {**OPERATOR, **(operator or {})},
        "gpu-proof": {**PROOF, **(proof or {})},
    }
    site.write(stacks, target="lab", **more)


@pytest.fixture
def site(make_site: Callable[..., Site], lab_servers: Mapping[str, Path]) -> Iterator[Site]:
    made = make_site({"unused": {"kind": "things"}}, environment="lab")
    write(made)
    yield made
    made.run("lab", "stop", "lab")


def of_proof(told: Told) -> Told:
    return next(result for result in told["results"] if result["stack"] == "gpu-proof")


def account(told: Told) -> str:
    """The error of the proof with its causes and hint, on one line, without what differs from run to run."""
    failed = of_proof(told)
    text = " ← ".join((failed["error"]["message"], *failed["causes"])) + f" → {failed['error']['hint']}"
    text = re.sub(r"after \d+ s", "after … s", re.sub(TIME, "TIME", text))
    return re.sub(r"(proof-gpu-\d)-\w{5}\b", r"\1-…", text)


def evidence(site: Site) -> list[str]:
    found = site.run("outputs", "lab", "gpu-proof", "--output", "json")
    assert found.returncode == 0, found.stderr
    (told,) = re.findall(r'"evidence": (\[.*?\])', found.stdout, re.DOTALL)
    return [sentence for sentence in json.loads(told) if "ClusterPolicy" not in sentence]


@contextmanager
def patched(client: KubeClient, body: dict[str, Any], back: dict[str, Any]) -> Iterator[None]:
    client.patch(GPU_1, body)
    yield
    client.patch(GPU_1, back)


def stop_kubelet(client: KubeClient) -> None:
    client.patch(GPU_1, {"metadata": {"annotations": {"lab.aiinfra.dev/kubelet": "stopped"}}})
    Waiter(20).until(lambda: _ready(client) != "True" or Pending("gpu-1 to be NotReady"))


def _ready(client: KubeClient) -> str:
    node = client.get(GPU_1) or {}
    return next(str(c["status"]) for c in node["status"]["conditions"] if c["type"] == "Ready")


UNFIT = f"the label {LABEL} (or one like it) is on 1 of 2 nodes that are Ready and schedulable after … s ← node gpu-1 {{}} → {{}}"


def test_a_proof_is_of_the_nodes_as_they_are_now(site: Site) -> None:
    assert site.result("up")["exit_code"] == 0
    assert evidence(site) == [
        f"the label {LABEL} (or one like it) is on 2 of 2 nodes",
        "nvidia.com/gpu has 16 of 16 allocatable",
        "CUDA vector addition on gpu-0 (NVIDIA A100-SXM4-40GB, 1 GPU) gave the expected answer; the run was simulated",
        "CUDA vector addition on gpu-1 (NVIDIA A100-SXM4-40GB, 1 GPU) gave the expected answer; the run was simulated",
    ]
    assert of_proof(site.result("up"))["outcome"] == "unchanged"

    with cluster(site) as client:
        client.patch(GPU_1, {"status": {"nodeInfo": {"bootID": "another boot"}}}, subresource="status")
        rebooted = "node gpu-1 was rebooted, which loads its driver anew"
        assert rebooted in follow(site, site.run("status", "lab").stdout, "up lab")
        assert of_proof(site.result("up"))["outcome"] == "unchanged"

        with patched(client, {"spec": {"unschedulable": True}}, {"spec": {"unschedulable": None}}):
            status = site.run("status", "lab")
            cordoned, doctor, why = site.result("up", *QUICK), site.run("doctor", "lab"), site.run("why", "lab", "nfd")
        assert re.search(rf"gpu-proof .*drifted .*node gpu-1 is cordoned since {TIME}", status.stdout), status.stdout
        assert account(cordoned) == UNFIT.format("is cordoned since TIME", "kubectl uncordon gpu-1")
        assert re.search(rf"node gpu-1 of cluster.*is cordoned since {TIME}", doctor.stdout), doctor.stdout
        assert re.search(rf"answers, v1.36.3; node gpu-1 is cordoned since {TIME}", why.stdout), why.stdout
        assert of_proof(site.result("up"))["outcome"] == "changed"

        with patched(client, {"spec": {"taints": [TAINT]}}, {"spec": {"taints": None}}):
            tainted = site.result("up", *QUICK)
        assert account(tainted) == UNFIT.format(
            "has the taint dedicated=gpu:NoSchedule since TIME, which is not tolerated",
            "add a toleration for dedicated to the stack of kind gpu_operator, or take the taint off",
        )
        assert of_proof(site.result("up"))["outcome"] == "changed"

        stop_kubelet(client)
        silent = site.result("up", *QUICK)
        client.patch(GPU_1, {"metadata": {"annotations": {"lab.aiinfra.dev/kubelet": None}}})
        assert account(silent) == UNFIT.format(
            "is NotReady since TIME (NodeStatusUnknown: Kubelet stopped posting node status)",
            "look at the kubelet of gpu-1",
        )
        Waiter(20).until(lambda: _ready(client) == "True" or Pending("gpu-1 to be Ready"))
        sampled = site.result("up", "--set", "stacks.gpu-proof.nodes=1")
        assert of_proof(sampled)["outcome"] == "changed"
        assert evidence(site)[-1] == "a sample: 1 of 2 nodes ran it, and not gpu-1"


def test_a_node_that_lost_its_gpus_is_named(site: Site) -> None:
    assert site.result("up")["exit_code"] == 0
    with cluster(site) as client:
        client.patch(GPU_1, {"metadata": {"labels": {"nvidia.com/gpu.deploy.device-plugin": "false"}}})
        Waiter(30).until(lambda: _gpus(client) == "0" or Pending("gpu-1 to offer no GPU"))
        assert "gpu-1 offers no nvidia.com/gpu" in account(site.result("up", *QUICK))


def _gpus(client: KubeClient) -> str:
    return str((client.get(GPU_1) or {})["status"]["allocatable"].get("nvidia.com/gpu"))


def running_drivers(site: Site) -> list[str]:
    """The image of each driver's pod that is ready."""
    with cluster(site) as client:
        pods = client.list("v1", "Pod", "gpu-operator", labels="app=nvidia-driver-daemonset")
    ready = [p for p in pods if any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"]["conditions"])]
    return [pod["spec"]["containers"][0]["image"] for pod in ready]


def test_another_driver_is_proved_again_and_the_old_proof_is_not_current(site: Site) -> None:
    assert site.result("up")["exit_code"] == 0
    driver = ("--set", "stacks.gpu-operator.driver.version=580.95.05")
    assert of_proof(json.loads(site.run("preview", "lab", "--output", "json", *driver).stdout))["outcome"] == "changed"
    changed = site.result("up", *driver, "--until", "gpu-operator")
    assert changed["exit_code"] == 0
    assert running_drivers(site) == ["nvcr.io/nvidia/driver:580.95.05-ubuntu24.04"] * 2
    assert re.search(r"gpu-proof .*proved before gpu-operator changed, ", site.run("status", "lab", *driver).stdout)
    assert of_proof(site.result("up", *driver))["outcome"] == "changed"
    assert "before" not in site.run("status", "lab", *driver).stdout
    assert of_proof(site.result("up", *driver))["outcome"] == "unchanged"


def test_a_tainted_node_is_proved_where_the_operator_tolerates_the_taint(site: Site) -> None:
    write(site, nfd={"tolerations": HERE}, operator={"tolerations": HERE})
    assert site.result("up", "--until", "cluster")["exit_code"] == 0
    with cluster(site) as client:
        for node in ("gpu-0", "gpu-1"):
            client.patch(ObjectRef("v1", "Node", node), {"spec": {"taints": [TAINT]}})
    assert site.result("up")["exit_code"] == 0


@pytest.mark.parametrize(
    ("strategy", "gpus", "resource"), [("single", 112, "nvidia.com/gpu"), ("mixed", 112, "nvidia.com/mig-1g.5gb")]
)
def test_slices_are_asked_for_as_the_nodes_offer_them(strategy: str, gpus: int, resource: str, site: Site) -> None:
    nodes = {"cpu": {"count": 1}, "gpu": {"count": 2, "gpu": "A100-SXM4-40GB", "gpus": 8}}
    write(
        site,
        operator={"mig": {"strategy": strategy}},
        proof={"expect": {"nodes": 2, "gpus": gpus}},
        lab={"clusters": {"cluster": {"nodes": nodes}}},
    )
    assert site.result("up", "--until", "cluster")["exit_code"] == 0
    with cluster(site) as client:
        for node in ("gpu-0", "gpu-1"):
            client.patch(
                ObjectRef("v1", "Node", node), {"metadata": {"labels": {"nvidia.com/mig.config": "all-1g.5gb"}}}
            )
        done = site.result("up")
        assert done["exit_code"] == 0, account(done)
        assert (client.get(GPU_1) or {})["status"]["allocatable"][resource] == "56"
        if strategy == "mixed":
            client.patch(GPU_1, {"metadata": {"labels": {"nvidia.com/mig.config": "all-disabled"}}})
            Waiter(20).until(lambda: _gpus(client) == "8" or Pending("gpu-1 to offer whole GPUs"))
            named = ("--set", "stacks.gpu-proof.expect.resource=nvidia.com/mig-1g.5gb")
            assert account(site.result("up", *QUICK, *named)) == (
                "nvidia.com/mig-1g.5gb has 56 of 112 allocatable after … s"
                " ← gpu-1 offers no nvidia.com/mig-1g.5gb but 8 nvidia.com/gpu"
                " → see why their device plugin offers it not, or expect what the nodes offer"
            )
            client.patch(GPU_1, {"metadata": {"labels": {"nvidia.com/mig.config": "all-1g.10gb"}}})
            Waiter(20).until(lambda: _offers(client, "nvidia.com/mig-1g.10gb") == "32" or Pending("double memory"))
            client.patch(GPU_1, {"metadata": {"labels": {"nvidia.com/mig.config": "all-balanced"}}})
            Waiter(20).until(lambda: _offers(client, "nvidia.com/mig-3g.20gb") == "8" or Pending("a mix of slices"))
            slices = ("1g.5gb", "1g.10gb", "2g.10gb")
            assert [_offers(client, f"nvidia.com/mig-{each}") for each in slices] == ["16", "0", "8"]
            client.patch(GPU_1, {"metadata": {"labels": {"nvidia.com/mig.config": "all-1g.12gb"}}})
            assert account(site.result("up", *QUICK, *named)) == (
                "nvidia.com/mig-1g.5gb has 72 of 112 allocatable after … s"
                " ← the MIG manager could not apply all-1g.12gb on gpu-1"
                " → see its log, and label the node by nvidia.com/mig.config with a configuration that its GPUs have"
            )


def _offers(client: KubeClient, resource: str) -> str:
    return str((client.get(GPU_1) or {})["status"]["allocatable"].get(resource))


def test_shares_are_asked_for_by_their_own_name(site: Site) -> None:
    shared = {"sharing": {"time_slicing": {"replicas": 4, "rename": True}}}
    write(site, operator=shared, proof={"expect": {"nodes": 2, "gpus": 64}})
    assert site.result("up")["exit_code"] == 0
    assert "nvidia.com/gpu.shared has 64 of 64 allocatable" in evidence(site)
    wrong = site.run("validate", "lab", "--set", "stacks.gpu-proof.expect.resource=nvidia.com/gpu")
    assert wrong.returncode == 2
    assert (
        "the operator of this environment offers nvidia.com/gpu.shared, not nvidia.com/gpu"
        in wrong.stdout + wrong.stderr
    )
