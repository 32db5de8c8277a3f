"""Pods that no node takes: for want of GPUs, of volumes, of nodes that may be used."""

from __future__ import annotations

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.diagnosis.cause import Diagnosis, Weight
from aiinfra.domains.kubernetes.diagnosis.diagnose import diagnose_object, diagnose_wants
from aiinfra.domains.kubernetes.objects.wants import AllocatableWant
from tests.unit.diagnosis.snapshots import (
    Object,
    a_node,
    a_snapshot,
    a_warning,
    an_object,
    an_operator,
    an_unscheduled_pod,
    gpu_nodes,
)


def a_cuda_pod() -> tuple[Object, ObjectRef]:
    job = an_object("batch/v1", "Job", "proof", "gpu-operator")
    pod = an_unscheduled_pod(job, "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.")
    return pod, ObjectRef.of(pod)


def test_a_pod_that_finds_no_gpu() -> None:
    pod, ref = a_cuda_pod()
    assert diagnose_object(a_snapshot(an_operator(), gpu_nodes(), pod), ref).causes == [
        "proof-pending: Unschedulable",
        "no node has nvidia.com/gpu to spare: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu",
    ]


def test_a_pod_that_finds_no_gpu_as_others_hold_them() -> None:
    pod, ref = a_cuda_pod()
    limits = {"resources": {"limits": {"nvidia.com/gpu": "4"}}}
    train, serve = (an_object("v1", "Pod", name, "ml", spec={"nodeName": "gpu-0"}) for name in ("train", "serve"))
    train["spec"]["containers"], serve["spec"]["containers"] = [limits, limits], [{}]
    found = diagnose_object(a_snapshot(an_operator(), a_node("gpu-0"), pod, train, serve), ref)
    assert found.causes[2:] == ["8 of the 8 nvidia.com/gpu of gpu-0 are taken by ml/train (8)"]
    assert found.hint == "end one of them, or add nodes with GPUs"


def test_a_pod_that_finds_no_gpu_as_the_node_is_cordoned() -> None:
    pod, ref = a_cuda_pod()
    node = a_node("gpu-0")
    node["spec"]["unschedulable"] = True
    found = diagnose_object(a_snapshot(an_operator(), node, pod), ref)
    assert found.causes[2:] == ["node gpu-0 is cordoned, so nothing new starts there"]
    assert found.hint == "kubectl uncordon gpu-0"


PREEMPTION = "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling"


def claiming(scheduler: str) -> Object:
    pod = an_unscheduled_pod(an_object("batch/v1", "Job", "train", "ml"), f"{scheduler}. {PREEMPTION}")
    return {**pod, "spec": {**pod["spec"], "volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]}}


def test_a_claim_that_nothing_provisions_a_volume_for() -> None:
    pod = claiming("0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims")
    claim = an_object("v1", "PersistentVolumeClaim", "data", "ml", status={"phase": "Pending"})
    event = a_warning(claim, "FailedBinding", "no volumes for this claim and no storage class is set") | {
        "type": "Normal"
    }
    assert diagnose_object(a_snapshot(pod, claim, event), ObjectRef.of(pod)) == Diagnosis(
        [
            "train-pending: Unschedulable",
            "PersistentVolumeClaim ml/data is Pending: no volumes for this claim and no storage class is set",
        ],
        "name a StorageClass that can provision it, or make a volume for it",
        Weight.BLOCKED,
    )


def test_a_claim_that_does_not_exist() -> None:
    pod = claiming('0/2 nodes are available: persistentvolumeclaim "data" not found')
    found = diagnose_object(a_snapshot(pod), ObjectRef.of(pod))
    assert found.causes[1:] == ["PersistentVolumeClaim ml/data does not exist"]


def test_a_claim_that_waits_for_its_pod_is_not_why_the_pod_waits() -> None:
    pod = claiming("0/2 nodes are available: 2 Insufficient cpu")
    claim = an_object("v1", "PersistentVolumeClaim", "data", "ml", status={"phase": "Pending"})
    found = diagnose_object(a_snapshot(pod, claim), ObjectRef.of(pod))
    assert found.causes[1:] == ["no node has enough cpu: 0/2 nodes are available: 2 Insufficient cpu"]


def test_gpus_that_are_not_offered_are_counted_by_node() -> None:
    snapshot = a_snapshot(a_node("gpu-0"), a_node("gpu-1", gpus=0))
    found = diagnose_wants(snapshot, [AllocatableWant("nvidia.com/gpu", 16)])
    assert found.causes == ["gpu-0 offers 8, gpu-1 offers none of nvidia.com/gpu"]
