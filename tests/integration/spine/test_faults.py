"""Each fault of a lab strikes `up` while it runs: the root is told, and once it is lifted the next `up` goes on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.facts import CHART as OPERATOR_CHART
from aiinfra.domains.kubernetes.charts.nfd.facts import CHART as NFD_CHART
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.waiting import Pending, Waiter
from tests.integration.spine.census import standing
from tests.integration.spine.conftest import site_in
from tests.integration.spine.lab_site import cluster
from tests.integration.spine.site import Site, Told

pytestmark = [pytest.mark.engine, pytest.mark.lab]
STARTED = "gpu-operator | started (gpu_operator)\n"
STACKS = {
    "cluster": {"kind": "existing_cluster"},
    "nfd": {"kind": "nfd", "cluster": "${cluster}"},
    "gpu-operator": {"kind": "gpu_operator", "cluster": "${cluster}", "nfd": "${nfd}"},
    "gpu-proof": {
        "kind": "gpu_proof",
        "cluster": "${cluster}",
        "operator": "${gpu-operator}",
        "expect": {"nodes": 1, "gpus": 8},
    },
}
NODES = {"cpu": {"count": 1}, "gpu": {"count": 1, "gpu": "A100-SXM4-40GB", "gpus": 8, "kernel": "6.8.0-85-generic"}}
HOOK = ObjectRef("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "policy.lab.aiinfra.dev")
CRD = "CustomResourceDefinition"
OPERATOR = ("--only", "gpu-operator", "--only", "gpu-proof")

PARTITION = """\
✗ gpu-operator  failed after … s
  https://127.0.0.1:… cannot be reached: Connection refused
  → check that the cluster is up and that this machine can reach the address in the kubeconfig
  code kube.unreachable · may pass by itself · gpu-proof left as it was · exit 4
"""
CRD_LATE = """\
✗ gpu-operator  failed after … s
  Helm release gpu-operator/gpu-operator: CustomResourceDefinition clusterpolicies.nvidia.com: it is not there after … s
  ← no chart or operator has brought CustomResourceDefinition clusterpolicies.nvidia.com to the cluster yet
  → run again once it is there, or see why the release that carries it left it out
  code step.failed · gpu-proof left as it was · exit 4
"""
WEBHOOK = """\
✗ gpu-operator  failed after … s
  Helm release gpu-operator/gpu-operator: ClusterPolicy cluster-policy: Internal error occurred: failed calling webhook \
"policy.lab.aiinfra.dev": failed to call webhook: Post "https://127.0.0.1:9/validate?timeout=5s": \
dial tcp 127.0.0.1:9: connect: connection refused
  ← ValidatingWebhookConfiguration policy.lab.aiinfra.dev calls https://127.0.0.1:9/validate, which does not answer: \
connection refused
  → bring its server back, or delete ValidatingWebhookConfiguration policy.lab.aiinfra.dev
  code kube.webhook · may pass by itself · gpu-proof left as it was · exit 4
"""
NO_HEADERS = (
    "Could not resolve Linux kernel version: no headers for kernel 6.8.0-85-generic in the package repositories of the "
    "driver image"
)
AWAITED = (
    "gpu-operator | waits … s for ClusterPolicy cluster-policy: not ready"
    f" ← nvidia-driver-daemonset on gpu-0: CrashLoopBackOff ← {NO_HEADERS}"
)
DRIVER = f"""\
✗ gpu-operator  failed after … s
  ClusterPolicy cluster-policy is not ready after … s
  ← nvidia-driver-daemonset on gpu-0: CrashLoopBackOff
  ← {NO_HEADERS}
  → set driver.version to one that supports kernel 6.8.0-85-generic, or boot the nodes with a kernel that it supports
  code kube.not_ready · gpu-proof left as it was · exit 4
"""
IMAGE = """\
✗ gpu-operator  failed after … s
  ClusterPolicy cluster-policy is not ready after … s
  ← nvidia-container-toolkit-daemonset on gpu-0: ImagePullBackOff
  ← image nvcr.io/nvidia/k8s/container-toolkit:v1.20.0 does not exist
  → correct its name and version, or bring it into the registry
  code kube.not_ready · gpu-proof left as it was · exit 4
"""


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, toolchain_folder: Path, lab_servers: Mapping[str, Path]
) -> Iterator[Site]:
    made = site_in(tmp_path_factory.mktemp("faults"), toolchain_folder, "lab")
    made.write(STACKS, target="lab", lab={"clusters": {"cluster": {"nodes": NODES}}})
    yield made
    made.run("lab", "stop", "lab")


def struck(site: Site, strike: Callable[[], None]) -> str:
    """What an `up` says, times and ports left out, that is held for `strike` as the operator's stack starts."""
    with subprocess.Popen(
        site.command("up", "lab", "--yes"),
        cwd=site.folder,
        env=site.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        said = []
        for line in process.stdout:
            said.append(line)
            if line == STARTED:
                os.kill(process.pid, signal.SIGSTOP)
                strike()
                os.kill(process.pid, signal.SIGCONT)
    assert process.returncode == 4, "".join(said)
    return steady("".join(said))


def steady(said: str) -> str:
    """Without times and ports."""
    return re.sub(r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:…", re.sub(r"\b\d+(\.\d+)? s\b", "… s", said))


def told(said: str, stack: str = "gpu-operator") -> str:
    """The account of the stack's failure, up to the empty line."""
    return said[said.index(f"✗ {stack}  failed") :].partition("\n\n")[0] + "\n"


def fault(site: Site, name: str, *words: str) -> None:
    assert site.run("lab", "fault", "lab", name, *words).returncode == 0


def webhook_down(site: Site, client: KubeClient) -> None:
    fault(site, "webhook-down")
    Waiter(20).until(lambda: client.get(HOOK) or Pending("the webhook"))


def no_image_for_what_waits_for_the_driver(site: Site) -> None:
    fault(site, "image-pull")
    fault(site, "driver-kernel-mismatch", "--lift")


def a_pod(
    client: KubeClient, name: str, namespace: str, node: str = "", claims: Sequence[Any] = (), **container: Any
) -> ObjectRef:
    """A pod that is of no workload of ours, and whose kubelet nobody plays."""
    meta = {"name": name, "namespace": namespace, "annotations": {"lab.aiinfra.dev/kubelet": "nobody"}}
    spec = {"containers": [{"name": "c", "image": "shop:1", **container}], "resourceClaims": claims}
    spec |= {"nodeName": node} if node else {}
    return ObjectRef.of(client.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}))


def bystander(client: KubeClient, namespace: str) -> ObjectRef:
    """A pod with a trouble of its own."""
    ref = a_pod(client, "bystander", namespace, "gpu-0")
    state = {"waiting": {"reason": "ImagePullBackOff", "message": "shop:1: not found"}}
    status = {"name": "c", "image": "shop:1", "imageID": "", "ready": False, "restartCount": 0, "state": state}
    client.patch(ref, {"status": {"phase": "Pending", "containerStatuses": [status]}}, subresource="status")
    return ref


def test_each_fault_is_told_by_its_root_and_once_lifted_up_goes_on(site: Site) -> None:
    assert site.run("up", "lab", "--yes").returncode == 0
    undisturbed = standing(site)
    assert site.run("destroy", "lab", "--yes", "--keep-lab", *OPERATOR).returncode == 0

    with cluster(site) as client:
        cut_off = told(struck(site, lambda: fault(site, "api-partition")))
        assert cut_off.replace("Namespace gpu-operator: ", "") == PARTITION  # whichever resource came first
        fault(site, "api-partition", "--lift")
        assert told(struck(site, lambda: fault(site, "crd-late"))) == CRD_LATE
        fault(site, "crd-late", "--lift")
        assert told(struck(site, lambda: webhook_down(site, client))) == WEBHOOK
        fault(site, "webhook-down", "--lift")

        others = [bystander(client, namespace) for namespace in ("default", "gpu-operator")]
        mismatch = struck(site, lambda: fault(site, "driver-kernel-mismatch"))
        assert AWAITED in mismatch
        assert told(mismatch) == DRIVER
        assert told(struck(site, lambda: no_image_for_what_waits_for_the_driver(site))) == IMAGE
        fault(site, "image-pull", "--lift")
        for ref in others:
            client.delete(ref)

    done = site.run("up", "lab", "--yes")
    assert done.returncode == 0, done.stdout
    assert standing(site) == undisturbed


GPUS_TAKEN = """\
✗ gpu-proof  failed after … s
  Job gpu-operator/aiinfra-gpu-proof-proof-gpu-0 did not finish after … s
  ← aiinfra-gpu-proof-proof-gpu-0-…: Unschedulable
  ← no node has nvidia.com/gpu to spare: 0/2 nodes are available: 1 Insufficient nvidia.com/gpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity]
  ← 8 of the 8 nvidia.com/gpu of gpu-0 are taken by default/train (8)
  → end one of them, or add nodes with GPUs
  code proof.failed · exit 4
"""
CUT_OFF = """\
✗ cluster  failed after … s
  https://127.0.0.1:… cannot be reached: Connection refused
  → check that the cluster is up and that this machine can reach the address in the kubeconfig
  code kube.unreachable · may pass by itself · nfd, gpu-operator, gpu-proof left as they were · exit 4
"""


def test_what_is_wrong_while_all_stands_is_told_by_a_new_proof_and_by_doctor(site: Site) -> None:
    assert site.run("up", "lab", "--yes").returncode == 0
    with cluster(site) as client:
        train = a_pod(client, "train", "default", resources={"limits": {"nvidia.com/gpu": "8"}})
        Waiter(20).until(lambda: (client.get(train) or {})["spec"].get("nodeName") or Pending("a node"))
        taken = site.run("up", "lab", "--yes", "--prove", "--set", "stacks.gpu-proof.limit=5s")
        client.delete(train)
    said = re.sub(r"proof-gpu-0-\w{5}:", "proof-gpu-0-…:", steady(taken.stdout + taken.stderr))
    assert told(said, "gpu-proof") == GPUS_TAKEN

    fault(site, "api-partition")
    cut_off, doctor = site.run("up", "lab", "--yes", "--prove", "--no-skip"), site.run("doctor", "lab")
    fault(site, "api-partition", "--lift")
    assert told(steady(cut_off.stdout + cut_off.stderr), "cluster") == CUT_OFF
    assert doctor.returncode == 3
    assert "https://127.0.0.1:… cannot be reached: Connection refused" in steady(doctor.stdout)

    again = site.result("up", "--prove", "--no-skip")
    assert again["exit_code"] == 0
    assert [result["outcome"] for result in again["results"]] == ["unchanged"] * 3 + ["changed"]


RULE = {
    "apiVersion": "nfd.k8s-sigs.io/v1alpha1",
    "kind": "NodeFeatureRule",
    "metadata": {"name": "network-operator-rule"},
    "spec": {"rules": []},
}
REFUSES_DELETIONS: Any = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "theirs"},
    "webhooks": [
        {
            "name": "check.example.com",
            "clientConfig": {"service": {"name": "theirs", "namespace": "default"}},
            "rules": [
                {
                    "apiGroups": ["nfd.k8s-sigs.io", "nvidia.com"],
                    "apiVersions": ["*"],
                    "operations": ["DELETE"],
                    "resources": ["nodefeaturerules", "nvidiadrivers"],
                }
            ],
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
        }
    ],
}
"""What is left of an operator of others: its webhook, and no server behind it."""
DRIVER_OF_OTHERS = {"apiVersion": "nvidia.com/v1alpha1", "kind": "NVIDIADriver", "metadata": {"name": "second"}}
NOTE = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": "gpu-operator"}}
LOST = [
    ("nfd", "NodeFeatureRule network-operator-rule", f"lost with {CRD} nodefeaturerules.nfd.k8s-sigs.io"),
    (
        "gpu-operator",
        "Pod default/train",
        "left without nvidia.com/gpu, which no node offers once gpu-operator is gone",
    ),
    (
        "gpu-operator",
        "Pod default/dynamic (ResourceClaim one-gpu)",
        "left without its devices of gpu.nvidia.com, which nothing drives once gpu-operator is gone",
    ),
    ("gpu-operator", "NVIDIADriver second", f"lost with {CRD} nvidiadrivers.nvidia.com"),
    ("gpu-operator", "ConfigMap gpu-operator/theirs", "lost with Namespace gpu-operator"),
]
LEFT_OUT = """\
the chart's hook Job gpu-operator/gpu-operator-cleanup-gpucluster, which did not run in … s \
← gpu-operator-cleanup-gpucluster on …: ImagePullBackOff ← image nvcr.io/nvidia/gpu-operator:v26.7.0 does not exist \
(correct its name and version, or bring it into the registry, if you need what it does)"""


def claiming(client: KubeClient) -> tuple[ObjectRef, ObjectRef]:
    """A pod that holds a GPU by a claim, and the claim: allocated as the scheduler does with NVIDIA's DRA driver."""
    request = {"name": "gpu", "exactly": {"deviceClassName": "gpu.nvidia.com"}}
    head = {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim"}
    meta = {"name": "one-gpu", "namespace": "default"}
    ref = ObjectRef.of(client.create({**head, "metadata": meta, "spec": {"devices": {"requests": [request]}}}))
    claims = [{"name": "gpu", "resourceClaimName": "one-gpu"}]
    pod = a_pod(client, "dynamic", "default", "gpu-0", claims=claims, resources={"claims": [{"name": "gpu"}]})
    result = {"request": "gpu", "driver": "gpu.nvidia.com", "pool": "gpu-0", "device": "gpu-7"}
    consumer = {"resource": "pods", "name": "dynamic", "uid": (client.get(pod) or {})["metadata"]["uid"]}
    status = {"allocation": {"devices": {"results": [result]}}, "reservedFor": [consumer]}
    client.patch(ref, {"status": status}, subresource="status")
    return pod, ref


def test_a_destroy_stops_for_what_others_lose_and_leaves_out_a_hook_that_cannot_run(site: Site) -> None:
    assert site.run("up", "lab", "--yes").returncode == 0
    with cluster(site) as client:
        for made in (RULE, DRIVER_OF_OTHERS, NOTE):
            client.create(made)
        train = a_pod(client, "train", "default", resources={"limits": {"nvidia.com/gpu": "8"}})
        Waiter(20).until(lambda: (client.get(train) or {})["spec"].get("nodeName") or Pending("a node"))
        dynamic = claiming(client)
        before = standing(site)
        stopped = site.result("destroy", "--keep-lab")
        assert stopped["exit_code"] == 2
        assert {(one["code"], one["where"], one["message"]) for one in stopped["errors"]} == {
            ("destroy.dependents", stack, f"others' {what} would be {loss}") for stack, what, loss in LOST
        }
        assert standing(site) == before

        client.create(REFUSES_DELETIONS)
        refused = site.result("destroy", "--keep-lab", "--with-dependents")
        client.delete(ObjectRef.of(REFUSES_DELETIONS))
        assert (refused["exit_code"], refused["errors"][0]["hint"]) == (
            3,
            "install what brings it, or delete the webhook",
        )
        assert refused["errors"][0]["message"].endswith(
            " ← ValidatingWebhookConfiguration theirs calls service default/theirs, which does not answer: "
            'service "theirs" not found ← service default/theirs does not exist'
        )
        assert standing(site) == before

        fault(site, "image-pull", "--at", "gpu-operator")
        gone = site.result("destroy", "--keep-lab", "--with-dependents")
        fault(site, "image-pull", "--at", "gpu-operator", "--lift")
        for ref in (train, *dynamic):
            assert client.get(ref) is not None
            client.delete(ref)
    assert gone["exit_code"] == 0
    assert {(one["stack"], one["what"], one["loss"]) for one in gone["dependents"]} == set(LOST)
    said = [text for one in gone["results"] for text in one["left_out"]]
    assert [re.sub(r"on [cg]pu-0:", "on …:", steady(text)) for text in said] == [LEFT_OUT]
    assert {(one["name"], one["removed"]) for one in gone["shared"]} == {
        (name, True) for name in (*OPERATOR_CHART.crds, *NFD_CHART.crds)
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("api-partition@gpu-operator", "gpu-operator: https://127.0.0.1:… cannot be reached: Connection refused"),
        (
            "crd-late@gpu-operator",
            "gpu-operator: no chart or operator has brought CustomResourceDefinition clusterpolicies.nvidia.com to the "
            "cluster yet",
        ),
        (
            "driver-kernel-mismatch",
            f"gpu-operator: {NO_HEADERS}",
        ),
        (
            "image-pull@gpu-operator",
            "gpu-operator: image nvcr.io/nvidia/gpu-operator:v26.7.0 does not exist",
        ),
        (
            "webhook-down@gpu-operator",
            "gpu-operator: ValidatingWebhookConfiguration policy.lab.aiinfra.dev calls https://127.0.0.1:9/validate, "
            "which does not answer: connection refused",
        ),
    ],
)
def test_a_fault_is_rehearsed_told_and_healed(broken: str, why: str, site: Site) -> None:
    told: Told = json.loads(site.run("rehearse", "lab", "--fault", broken, "--output", "json").stdout)
    acts = [f"up with {broken}", "up", "up again", "destroy"]
    assert [(act["name"], act["passed"]) for act in told["acts"]] == [(act, True) for act in acts]
    assert steady(told["acts"][0]["why"]).replace("Namespace gpu-operator: ", "") == why
