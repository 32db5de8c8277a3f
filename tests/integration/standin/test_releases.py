"""Helm releases by the stand-in, against a real API server and the controllers of a lab."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.facts import CHART as OPERATOR
from aiinfra.domains.kubernetes.charts.nfd.facts import CHART as NFD
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.standins.kubernetes import RELEASE
from aiinfra.domains.kubernetes.objects.removing import remove_all
from aiinfra.errors import StepError
from aiinfra.providers.contract import Made, PartlyMade
from aiinfra.waiting import Waiter
from tests.integration.standin.conftest import Provider, World, said

pytestmark = pytest.mark.lab


@pytest.fixture(autouse=True)
def no_definitions(world: World) -> Iterator[None]:
    """Charts never remove their CRDs; each test starts without them."""
    yield
    refs = [ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", name) for name in world.definitions()]
    assert remove_all(world.client, refs, {}, lambda: Waiter(60)) == []


def gpu_operator(namespace: str, values: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "chart": "gpu-operator",
        "repositoryOpts": {"repo": "https://helm.ngc.nvidia.com/nvidia"},
        "version": "v26.7.0",
        "name": "gpu-operator",
        "namespace": namespace,
        "values": {"nfd": {"enabled": False}, **(values or {})},
        **more,
    }


def nfd(namespace: str, **more: Any) -> dict[str, Any]:
    chart = "oci://registry.k8s.io/nfd/charts/node-feature-discovery"
    return {"chart": chart, "version": "0.19.0", "name": "nfd", "namespace": namespace, **more}


def status(made: Made) -> Any:
    return said(made)["status"]


def test_the_operator_comes_up_and_goes_but_for_its_definitions(
    provider: Provider, world: World, namespace: str
) -> None:
    made = provider.create(RELEASE, "gpu", gpu_operator(namespace))

    assert made.id == f"{namespace}/gpu-operator"
    assert status(made) == {
        "status": "deployed",
        "name": "gpu-operator",
        "namespace": namespace,
        "chart": "gpu-operator",
        "version": "v26.7.0",
        "appVersion": "v26.7.0",
        "revision": 1,
    }
    assert said(made)["resourceNames"]["Deployment.apps/apps/v1"] == [f"{namespace}/gpu-operator"]
    assert "ClusterPolicy cluster-policy" in world.of_helm()
    assert f"Secret {namespace}/sh.helm.release.v1.gpu-operator.v1" in world.of_helm()

    provider.delete(RELEASE, "gpu", made)
    assert world.of_helm() == []
    assert world.definitions() == sorted(OPERATOR.crds)


def test_an_upgrade_changes_the_policy_and_drops_what_the_values_no_longer_make(
    provider: Provider, world: World, namespace: str
) -> None:
    bundled = gpu_operator(namespace, {"nfd": {"enabled": True}}, skipAwait=True)
    made = provider.create(RELEASE, "gpu", bundled)
    assert f"DaemonSet {namespace}/gpu-operator-node-feature-discovery-worker" in world.of_helm()

    made = provider.update(RELEASE, "gpu", made, gpu_operator(namespace, {"mig": {"strategy": "mixed"}}))
    policy = world.get("nvidia.com/v1", "ClusterPolicy", "cluster-policy")
    assert policy is not None
    assert policy["spec"]["mig"] == {"strategy": "mixed"}
    assert status(made)["revision"] == 2
    assert not [name for name in world.of_helm() if "node-feature-discovery" in name]

    provider.delete(RELEASE, "gpu", made)
    assert world.of_helm() == []


def test_nfd_takes_its_labels_off_the_nodes_when_it_goes(provider: Provider, world: World, namespace: str) -> None:
    made = provider.create(RELEASE, "nfd", nfd(namespace))
    provider.delete(RELEASE, "nfd", made)

    assert world.of_helm() == []
    assert world.definitions() == sorted(NFD.crds)
    labels = [key for node in world.client.list("v1", "Node") for key in node["metadata"]["labels"]]
    assert not [key for key in labels if key.startswith("feature.node.kubernetes.io/")]


def test_a_repeated_install_is_refused_until_the_release_is_forgotten(
    provider: Provider, world: World, namespace: str
) -> None:
    first = provider.create(RELEASE, "gpu", gpu_operator(namespace))
    before = world.of_helm()
    with pytest.raises(StepError, match="cannot re-use a name that is still in use"):
        provider.create(RELEASE, "gpu", gpu_operator(namespace))
    assert world.of_helm() == before

    world.client.delete(ObjectRef("v1", "Secret", "sh.helm.release.v1.gpu-operator.v1", namespace))
    again = provider.create(RELEASE, "gpu", gpu_operator(namespace))
    assert first.id == again.id
    assert world.of_helm() == before
    provider.delete(RELEASE, "gpu", again)
    assert world.of_helm() == []


def test_a_value_that_the_definition_refuses_is_told_in_the_servers_words(
    provider: Provider, world: World, namespace: str
) -> None:
    values = {"driver": {"upgradePolicy": {"maxParallelUpgrades": -1}}}
    with pytest.raises(PartlyMade) as failure:
        provider.create(RELEASE, "gpu", gpu_operator(namespace, values))

    at = "spec.driver.upgradePolicy.maxParallelUpgrades"
    assert f"{at}: Invalid value: -1: {at} in body should be greater than or equal to 0" in failure.value.reasons[0]
    assert status(failure.value.made)["status"] == "failed"

    mended = provider.update(RELEASE, "gpu", failure.value.made, gpu_operator(namespace))
    assert (status(mended)["status"], status(mended)["revision"]) == ("deployed", 2)
    provider.delete(RELEASE, "gpu", mended)
    assert world.of_helm() == []


def test_definitions_that_come_late_are_named_and_the_next_run_goes_on(
    provider: Provider, world: World, namespace: str
) -> None:
    provider.crds_late = True
    with pytest.raises(PartlyMade) as failure:
        provider.create(RELEASE, "gpu", gpu_operator(namespace, timeout=1))

    assert failure.value.reasons == (
        f"Helm release {namespace}/gpu-operator: "
        "CustomResourceDefinition clusterpolicies.nvidia.com: it is not there after 1 s",
    )

    provider.crds_late = False
    made = provider.update(RELEASE, "gpu", failure.value.made, gpu_operator(namespace))
    assert status(made)["status"] == "deployed"
    provider.delete(RELEASE, "gpu", made)


def test_a_release_needs_its_namespace(provider: Provider) -> None:
    with pytest.raises(StepError, match='namespaces "nowhere" not found'):
        provider.create(RELEASE, "gpu", gpu_operator("nowhere"))


def test_a_release_that_was_uninstalled_behind_our_back_is_gone(
    provider: Provider, world: World, namespace: str
) -> None:
    made = provider.create(RELEASE, "gpu", gpu_operator(namespace))
    seen = provider.read(RELEASE, "gpu", made, gpu_operator(namespace))
    assert seen is not None
    assert status(seen)["revision"] == 1

    world.client.delete(ObjectRef("v1", "Secret", "sh.helm.release.v1.gpu-operator.v1", namespace))
    assert provider.read(RELEASE, "gpu", made, gpu_operator(namespace)) is None
    provider.delete(RELEASE, "gpu", made)


@pytest.mark.parametrize("field", ["name", "namespace"])
def test_a_release_of_another_name_or_place_is_another_release(provider: Provider, field: str) -> None:
    diff = provider.diff(RELEASE, "gpu", gpu_operator("here"), {**gpu_operator("here"), field: "there"})

    assert (list(diff.changed), list(diff.replace)) == ([field], [field])
