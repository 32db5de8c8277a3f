"""What of others goes with what a destroy removes: which objects count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.needs import DeviceDrivers
from aiinfra.domains.kubernetes.objects.losses import Removal, dependents, under_definitions
from aiinfra.stack import MARK_ENVIRONMENT, MARK_ID, MARK_STACK

RULES = "nodefeaturerules.nfd.k8s-sigs.io"
KINDS = {("nfd.k8s-sigs.io", "NodeFeatureRule"): RULES, ("nvidia.com", "ClusterPolicy"): "clusterpolicies.nvidia.com"}
REMOVAL = Removal(
    environment="lab",
    environment_id="1234abcd",
    stacks={"nfd", "gpu-operator", "proof"},
    definitions={RULES: "nfd"},
    namespaces={"node-feature-discovery": "nfd", "gpu-operator": "gpu-operator"},
    releases={("node-feature-discovery", "node-feature-discovery"), ("gpu-operator", "gpu-operator")},
    resources={"nvidia.com/gpu": "gpu-operator", "nvidia.com/mig-*": "gpu-operator"},
    devices=[
        (
            "gpu-operator",
            DeviceDrivers(("gpu.nvidia.com", "compute-domain.nvidia.com"), (("component", "nvidia-driver"),)),
        )
    ],
    unowned=("Secret cert-manager-webhook-ca",),
)


def an(kind: str, name: str, namespace: str = "", *, api: str = "v1", owner: str = "", **metadata: Any) -> Object:
    place = {"namespace": namespace} if namespace else {}
    owned = {"ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": owner, "uid": owner}]} if owner else {}
    meta = {"name": name, "uid": f"{kind}/{namespace}/{name}", **place, **owned, **metadata}
    return {"apiVersion": api, "kind": kind, "metadata": meta}


def a_rule(name: str, **metadata: Any) -> Object:
    return an("NodeFeatureRule", name, api="nfd.k8s-sigs.io/v1alpha1", **metadata)


def a_pod(name: str, resource: str = "nvidia.com/gpu", phase: str = "Running", **metadata: Any) -> Object:
    spec = {"nodeName": "gpu-0", "containers": [{"name": "main", "resources": {"limits": {resource: "1"}}}]}
    return {**an("Pod", name, "ml", **metadata), "spec": spec, "status": {"phase": phase}}


def of_release(namespace: str, name: str) -> dict[str, Any]:
    return {"annotations": {"meta.helm.sh/release-namespace": namespace, "meta.helm.sh/release-name": name}}


def marks(stack: str, id: str = "1234abcd") -> dict[str, Any]:
    return {"labels": {MARK_ENVIRONMENT: "lab", MARK_ID: id, MARK_STACK: stack}}


def lost(*objects: Object, removal: Removal = REMOVAL) -> list[str]:
    return [f"{one.stack}: {one.what} {one.loss}" for one in dependents(removal, objects, KINDS)]


def test_a_custom_resource_of_others_goes_with_its_definition() -> None:
    objects = [a_rule("network-operator-rule"), an("ClusterPolicy", "second", api="nvidia.com/v1")]
    assert lost(*objects) == [
        "nfd: NodeFeatureRule network-operator-rule lost with CustomResourceDefinition nodefeaturerules.nfd.k8s-sigs.io"
    ]
    assert [str(ref) for ref in under_definitions(REMOVAL, objects, KINDS)] == ["NodeFeatureRule network-operator-rule"]


@pytest.mark.parametrize(
    "metadata",
    [
        of_release("node-feature-discovery", "node-feature-discovery"),
        marks("gpu-operator"),
        {"deletionTimestamp": "2026-11-30T00:00:00Z"},
    ],
    ids=["of a release that goes", "of another stack that goes", "going already"],
)
def test_what_is_ours_or_going_is_no_dependent(metadata: Mapping[str, Any]) -> None:
    assert lost(a_rule("rule", **metadata)) == []
    assert lost(an("ConfigMap", "settings", "gpu-operator", **metadata)) == []


def test_what_another_environment_or_a_stack_that_stays_made_is_one() -> None:
    stays, other = a_rule("stays", **marks("training")), a_rule("other", **marks("nfd", id="beef0000"))
    assert [line.split()[2] for line in lost(stays, other)] == ["other", "stays"]


def test_what_is_owned_counts_with_its_owner() -> None:
    deployment = an("Deployment", "operator", "gpu-operator", **of_release("gpu-operator", "gpu-operator"))
    replicas = an("ReplicaSet", "operator-1", "gpu-operator", owner=deployment["metadata"]["uid"])
    pod = an("Pod", "operator-1-x", "gpu-operator", owner=replicas["metadata"]["uid"])
    theirs = an("StatefulSet", "database", "gpu-operator")
    part = an("Pod", "database-0", "gpu-operator", owner=theirs["metadata"]["uid"])
    assert lost(deployment, replicas, pod, theirs, part) == [
        "gpu-operator: StatefulSet gpu-operator/database lost with Namespace gpu-operator"
    ]


def test_what_its_owner_left_behind_is_being_collected() -> None:
    assert lost(an("Pod", "worker-x", "node-feature-discovery", owner="a DaemonSet that is gone")) == []


def test_a_whole_destroy_takes_what_bears_the_id_whatever_its_stack() -> None:
    forgotten = a_rule("old", **marks("a stack that left the file"))
    assert len(lost(forgotten)) == 1
    assert lost(forgotten, removal=replace(REMOVAL, whole=True)) == []


def test_what_a_cluster_puts_into_every_namespace_is_nobodys_loss() -> None:
    place = "gpu-operator"
    token: dict[str, Any] = {"annotations": {"kubernetes.io/service-account.name": "default"}}
    assert lost(
        an("ServiceAccount", "default", place),
        an("ConfigMap", "kube-root-ca.crt", place),
        an("Endpoints", "gpu-operator", place),
        an("EndpointSlice", "gpu-operator-x", place, api="discovery.k8s.io/v1"),
        an("Lease", "53822513.nvidia.com", place, api="coordination.k8s.io/v1"),
        an("Secret", "default-token", place, **token),
        an("RoleBinding", "system:image-pullers", place),
        an("Secret", "cert-manager-webhook-ca", place),
    ) == []  # fmt: skip
    assert len(lost(an("ServiceAccount", "theirs", place), an("ConfigMap", "theirs", place))) == 2
    assert lost(an("Secret", "cert-manager-webhook-ca", "elsewhere")) == []


def test_a_release_of_others_in_a_namespace_of_ours_is_named_once() -> None:
    stored: dict[str, Any] = {"labels": {"owner": "helm", "name": "dashboards"}}
    ours: dict[str, Any] = {"labels": {"owner": "helm", "name": "gpu-operator"}}
    assert lost(
        an("Secret", "sh.helm.release.v1.gpu-operator.v1", "gpu-operator", **ours),
        an("Secret", "sh.helm.release.v1.dashboards.v1", "gpu-operator", **stored),
        an("ConfigMap", "dashboards", "gpu-operator", **of_release("gpu-operator", "dashboards")),
    ) == ["gpu-operator: Helm release gpu-operator/dashboards lost with Namespace gpu-operator"]


def test_a_hook_that_an_earlier_run_left_is_ours() -> None:
    hook: dict[str, Any] = {
        "annotations": {"helm.sh/hook": "pre-delete"},
        "labels": {"app.kubernetes.io/instance": "gpu-operator"},
    }
    assert lost(an("Job", "gpu-operator-cleanup-gpucluster", "gpu-operator", **hook)) == []
    other: dict[str, Any] = {**hook, "labels": {"app.kubernetes.io/instance": "dashboards"}}
    assert len(lost(an("Job", "cleanup", "gpu-operator", **other))) == 1


def test_pods_that_hold_gpus_lose_them() -> None:
    job = an("Job", "proof", "ml", **marks("proof"))
    pods = [
        a_pod("train"),
        a_pod("slice", "nvidia.com/mig-1g.10gb"),
        a_pod("network", "nvidia.com/hostdev"),
        a_pod("done", phase="Succeeded"),
        a_pod("proof-1", owner=job["metadata"]["uid"]),
        {**a_pod("waits"), "spec": {"containers": a_pod("waits")["spec"]["containers"]}},
    ]
    assert lost(job, *pods) == [
        "gpu-operator: Pod ml/train left without nvidia.com/gpu, which no node offers once gpu-operator is gone",
        "gpu-operator: Pod ml/slice left without nvidia.com/mig-1g.10gb, which no node offers once gpu-operator is gone",
    ]


def a_claim(name: str, *drivers: str, pods: tuple[str, ...] = (), api: str = "v1") -> Object:
    """A claim with a device of each driver, reserved for the pods of these names."""
    results = [{"request": "gpu", "driver": driver, "pool": "gpu-0", "device": "gpu-0"} for driver in drivers]
    allocation = {"allocation": {"devices": {"results": results}}} if drivers else {}
    consumers = [{"resource": "pods", "name": name, "uid": f"Pod/ml/{name}"} for name in pods]
    status = {**allocation, **({"reservedFor": consumers} if pods else {})}
    return {**an("ResourceClaim", name, "ml", api=f"resource.k8s.io/{api}"), "status": status}


def a_driver(node: str = "gpu-0", release: str = "gpu-operator") -> list[Object]:
    """What drives the GPUs of a node, with its owners."""
    policy = an("ClusterPolicy", "cluster-policy", api="nvidia.com/v1", **of_release(release, release))
    daemonset = an("DaemonSet", "driver", release, api="apps/v1", owner=policy["metadata"]["uid"])
    pod = an("Pod", "driver-x", release, owner=daemonset["metadata"]["uid"], labels={"component": "nvidia-driver"})
    return [policy, daemonset, {**pod, "spec": {"nodeName": node}, "status": {"phase": "Running"}}]


@pytest.mark.parametrize("api", ["v1", "v1beta2", "v1beta1"])
def test_pods_that_hold_gpus_by_claims_lose_them_with_their_driver(api: str) -> None:
    assert lost(
        *a_driver(),
        a_pod("train", "cpu"),
        a_pod("tune", "cpu"),
        a_pod("far", "cpu"),
        a_claim("shared", "gpu.nvidia.com", pods=("train", "tune"), api=api),
        a_claim("domain", "compute-domain.nvidia.com", pods=("tune",), api=api),
        a_claim("card", "dra.net", pods=("far",), api=api),
    ) == [
        "gpu-operator: Pod ml/tune (ResourceClaim domain, ResourceClaim shared) left without its devices of "
        "compute-domain.nvidia.com and gpu.nvidia.com, which nothing drives once gpu-operator is gone",
        "gpu-operator: Pod ml/train (ResourceClaim shared) left without its devices of gpu.nvidia.com, "
        "which nothing drives once gpu-operator is gone",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "objects",
    [
        [*a_driver("gpu-1"), a_pod("train", "cpu"), a_claim("gpu", "gpu.nvidia.com", pods=("train",))],
        [*a_driver(release="other"), a_pod("train", "cpu"), a_claim("gpu", "gpu.nvidia.com", pods=("train",))],
        [*a_driver(), a_pod("train", "cpu", "Succeeded"), a_claim("gpu", "gpu.nvidia.com", pods=("train",))],
        [*a_driver(), a_pod("train", "cpu"), a_claim("gpu", "gpu.nvidia.com")],
        [*a_driver(), a_pod("train", "cpu"), a_claim("gpu", pods=("train",))],
        [*a_driver(), a_claim("gpu", "gpu.nvidia.com", pods=("gone",))],
        [*a_driver(), a_pod("t", "cpu", deletionTimestamp="x"), a_claim("gpu", "gpu.nvidia.com", pods=("t",))],
    ],
    ids=["driver of the host", "driver of others", "ended", "not reserved", "not allocated", "no such pod", "leaving"],
)
def test_a_claim_costs_nothing_where_no_driver_goes_or_no_pod_runs(objects: list[Object]) -> None:
    assert lost(*objects) == []


def test_without_the_id_the_name_decides() -> None:
    lost_id = Removal("lab", "", {"nfd"}, definitions={RULES: "nfd"})
    assert lost(a_rule("ours", **marks("nfd")), removal=lost_id) == []
    assert len(lost(a_rule("theirs"), removal=lost_id)) == 1
