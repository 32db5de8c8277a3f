"""What the stand-ins of the charts make of values."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.facts import CHART as OPERATOR
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import policy_definition as crd
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.policy_manifest import cluster_policy
from aiinfra.domains.kubernetes.charts.nfd.facts import CHART as NFD
from aiinfra.domains.kubernetes.charts.trees import with_defaults
from aiinfra.domains.kubernetes.lab.standins.charts.known import check_failures, manifest_of

GPU_OPERATOR = {
    "chart": "gpu-operator",
    "repositoryOpts": {"repo": "https://helm.ngc.nvidia.com/nvidia"},
    "version": "v26.7.0",
    "name": "gpu-operator",
    "namespace": "gpu",
}
NODE_FEATURES = {
    "chart": "oci://registry.k8s.io/nfd/charts/node-feature-discovery",
    "version": "0.19.0",
    "name": "nfd",
    "namespace": "features",
}


def spec(values: dict[str, Any]) -> dict[str, Any]:
    return cluster_policy(with_defaults(OPERATOR.values, values), {})["spec"]


@pytest.mark.parametrize(
    ("values", "section", "fields"),
    [
        ({}, "mig", {"strategy": "single"}),
        ({}, "daemonsets", {"updateStrategy": "RollingUpdate", "priorityClassName": "system-node-critical"}),
        ({"driver": {"version": 595}}, "driver", {"version": "595", "image": "driver", "repository": "nvcr.io/nvidia"}),
        ({}, "driver", {"version": "595.91.07", "useNvidiaDriverCRD": False}),
        ({"driver": {"nvidiaDriverCRD": {"enabled": True}}}, "driver", {"useNvidiaDriverCRD": True}),
        ({}, "driver", {"licensingConfig": {"nlsEnabled": True}}),
        ({"toolkit": {"enabled": False}}, "toolkit", {"enabled": False}),
        (
            {"devicePlugin": {"config": {"name": "shared", "default": "four", "create": True, "data": {"four": ""}}}},
            "devicePlugin",
            {"config": {"name": "shared", "default": "four"}},
        ),
        ({}, "operator", {"runtimeClass": "nvidia", "use_ocp_driver_toolkit": False}),
        ({}, "dcgm", {"enabled": False}),
        ({}, "sandboxWorkloads", {"enabled": False, "defaultWorkload": "container", "mode": "kubevirt"}),
    ],
)
def test_values_become_the_policy(values: dict[str, Any], section: str, fields: dict[str, Any]) -> None:
    made = spec(values)[section]
    assert {key: made.get(key) for key in fields} == fields


def test_eviction_of_gpu_pods_has_another_name_in_the_policy() -> None:
    policy = spec({"driver": {"upgradePolicy": {"gpuPodDeletion": {"force": True}}}})["driver"]["upgradePolicy"]

    assert policy["podDeletion"] == {"force": True, "timeoutSeconds": 300, "deleteEmptyDir": False}
    assert "gpuPodDeletion" not in policy


def test_the_policy_has_only_fields_that_its_definition_has() -> None:
    assert set(spec({})) <= set(crd.SPEC["properties"])
    assert set(crd.REQUIRED) <= set(spec({}))
    for section, fields in spec({}).items():
        assert set(fields) <= set(crd.SPEC["properties"][section]["properties"]), section


def names(inputs: dict[str, Any]) -> list[str]:
    return [f"{obj['kind']} {obj['metadata']['name']}" for obj in manifest_of(inputs).objects]


def test_the_operator_alone() -> None:
    assert names({**GPU_OPERATOR, "values": {"nfd": {"enabled": False}}}) == [
        "ServiceAccount gpu-operator",
        "ClusterRole gpu-operator",
        "ClusterRoleBinding gpu-operator",
        "Role gpu-operator",
        "RoleBinding gpu-operator",
        "Deployment gpu-operator",
        "ClusterPolicy cluster-policy",
    ]


def test_the_operator_brings_its_own_nfd_unless_told_not_to() -> None:
    assert "DaemonSet gpu-operator-node-feature-discovery-worker" in names(GPU_OPERATOR)
    assert [crd["metadata"]["name"] for crd in manifest_of(GPU_OPERATOR).crds] == [*OPERATOR.crds, *NFD.crds]


def test_the_operator_brings_five_definitions() -> None:
    """Those of NVIDIA/gpu-operator v26.7.0 deployments/gpu-operator/crds."""
    alone = manifest_of({**GPU_OPERATOR, "values": {"nfd": {"enabled": False}}})
    assert {(crd["metadata"]["name"], crd["spec"]["scope"]) for crd in alone.crds} == {
        ("clusterpolicies.nvidia.com", "Cluster"),
        ("nvidiadrivers.nvidia.com", "Cluster"),
        ("gpuclusters.nvidia.com", "Cluster"),
        ("computedomains.resource.nvidia.com", "Namespaced"),
        ("computedomaincliques.resource.nvidia.com", "Namespaced"),
    }


def test_nfd_by_itself() -> None:
    assert names(NODE_FEATURES) == [
        "ServiceAccount nfd-node-feature-discovery",
        "ServiceAccount nfd-node-feature-discovery-gc",
        "ServiceAccount nfd-node-feature-discovery-worker",
        "ConfigMap nfd-node-feature-discovery-master-conf",
        "ConfigMap nfd-node-feature-discovery-worker-conf",
        "ClusterRole nfd-node-feature-discovery",
        "ClusterRole nfd-node-feature-discovery-gc",
        "ClusterRoleBinding nfd-node-feature-discovery",
        "ClusterRoleBinding nfd-node-feature-discovery-gc",
        "Role nfd-node-feature-discovery-worker",
        "RoleBinding nfd-node-feature-discovery-worker",
        "DaemonSet nfd-node-feature-discovery-worker",
        "Deployment nfd-node-feature-discovery-gc",
        "Deployment nfd-node-feature-discovery-master",
    ]


def test_a_release_named_as_its_chart_is_not_named_twice() -> None:
    assert "DaemonSet node-feature-discovery-worker" in names({**NODE_FEATURES, "name": "node-feature-discovery"})


def test_every_object_carries_the_marks_of_its_release() -> None:
    for obj in [*manifest_of(GPU_OPERATOR).objects, *manifest_of(GPU_OPERATOR).after_delete]:
        assert obj["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"
        assert (
            obj["metadata"]["annotations"]
            | {
                "meta.helm.sh/release-name": "gpu-operator",
                "meta.helm.sh/release-namespace": "gpu",
            }
            == obj["metadata"]["annotations"]
        )


def test_switched_off_parts_are_not_made() -> None:
    without = names({**NODE_FEATURES, "values": {"gc": {"enable": False}, "postDeleteCleanup": False}})

    assert not [name for name in without if name.endswith("-gc")]
    assert manifest_of({**NODE_FEATURES, "values": {"postDeleteCleanup": False}}).after_delete == []


def test_the_workers_configuration_is_a_file_of_yaml() -> None:
    values = {"worker": {"config": {"sources": {"pci": {"deviceLabelFields": ["vendor"]}}}}}
    (config,) = [
        obj["data"]
        for obj in manifest_of({**NODE_FEATURES, "values": values}).objects
        if obj["metadata"]["name"].endswith("worker-conf")
    ]

    assert config == {"nfd-worker.conf": "sources:\n  pci:\n    deviceLabelFields:\n    - vendor\n"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, []),
        ({"version": None}, []),
        (
            {"version": "v25.3.0"},
            ["the lab knows chart gpu-operator v26.7.0, not v25.3.0; use v26.7.0 there"],
        ),
        (
            {"values": {"toolkits": {}}},
            ["chart gpu-operator v26.7.0: no value toolkits is known; did you mean toolkit?"],
        ),
        (
            {"chart": "gpu-oprator"},
            ["the lab knows no chart gpu-oprator in that repository; it can stand in for gpu-operator"],
        ),
        (
            {"repositoryOpts": {}},
            ["the lab knows no chart gpu-operator in that repository; it can stand in for gpu-operator"],
        ),
    ],
)
def test_what_cannot_be_stood_in_for_is_refused(changes: dict[str, Any], says: list[str]) -> None:
    assert [failure.reason for failure in check_failures({**GPU_OPERATOR, **changes})] == says


def test_a_release_knows_its_chart_when_the_file_of_that_is_gone() -> None:
    state = {**NODE_FEATURES, "chart": "/gone/nfd.tgz", "status": {"chart": "node-feature-discovery"}}

    assert manifest_of(state) == manifest_of(NODE_FEATURES)
