"""Objects by the stand-in, against a real API server."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.engine.wire import Secret, Tree
from aiinfra.errors import StepError
from aiinfra.providers.contract import PartlyMade
from tests.integration.standin.conftest import Provider, World, said

pytestmark = pytest.mark.lab
NAMESPACE = "kubernetes:core/v1:Namespace"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def a_map(namespace: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": "settings", "namespace": namespace}, "data": data}


def a_deployment(namespace: str, *, selects: str = "", **marks: str) -> dict[str, Any]:
    """`selects` is a label of nodes that its pods ask for."""
    labels = {"app": "door"}
    pod: dict[str, Any] = {"containers": [{"name": "door", "image": "registry.example/door:1"}]}
    pod |= {"nodeSelector": {selects: "true"}} if selects else {}
    return {
        "metadata": {"name": "door", "namespace": namespace, "annotations": marks},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }


def test_a_namespace_is_there_when_made_and_gone_when_deleted(provider: Provider, world: World) -> None:
    made = provider.create(NAMESPACE, "ns", {"metadata": {"name": "comes-and-goes"}})
    assert made.id == "comes-and-goes"
    assert made.outputs["status"] == {"phase": "Active"}

    provider.delete(NAMESPACE, "ns", made)
    assert world.get("v1", "Namespace", "comes-and-goes") is None


def test_what_exists_is_not_taken_over(provider: Provider, world: World, namespace: str) -> None:
    world.client.create({"apiVersion": "v1", "kind": "ConfigMap", **a_map(namespace, mode="theirs")})
    with pytest.raises(StepError, match=f"ConfigMap {namespace}/settings already exists"):
        provider.create(CONFIG_MAP, "settings", a_map(namespace, mode="ours"))

    found = world.get("v1", "ConfigMap", "settings", namespace)
    assert found is not None
    assert found["data"] == {"mode": "theirs"}


def test_a_name_that_was_left_out_is_the_resource_s_and_digits(provider: Provider, namespace: str) -> None:
    made = provider.create(CONFIG_MAP, "settings", {"metadata": {"namespace": namespace}, "data": {}})

    assert re.fullmatch(r"settings-[0-9a-f]{8}", made.id.rpartition("/")[2])


def test_what_others_set_on_an_object_stays(provider: Provider, world: World, namespace: str) -> None:
    made = provider.create(CONFIG_MAP, "settings", a_map(namespace, mode="fast"))
    world.client.patch(ObjectRef("v1", "ConfigMap", "settings", namespace), {"metadata": {"labels": {"by": "others"}}})
    provider.update(CONFIG_MAP, "settings", made, a_map(namespace, mode="slow"))

    found = world.get("v1", "ConfigMap", "settings", namespace)
    assert found is not None
    assert found["data"] == {"mode": "slow"}
    assert found["metadata"]["labels"] == {"by": "others"}


def test_drift_is_read_in_the_inputs_and_an_object_that_is_gone_is_none(
    provider: Provider, world: World, namespace: str
) -> None:
    ref = ObjectRef("v1", "ConfigMap", "settings", namespace)
    inputs = a_map(namespace, mode="fast")
    made = provider.create(CONFIG_MAP, "settings", inputs)
    world.client.patch(ref, {"data": {"mode": "drifted", "more": "keys"}})

    seen = provider.read(CONFIG_MAP, "settings", made, inputs)
    assert seen is not None
    assert seen.inputs is not None
    assert seen.inputs["data"] == {"mode": "drifted"}

    world.client.delete(ref)
    assert provider.read(CONFIG_MAP, "settings", made, inputs) is None


def test_a_field_that_does_not_exist_is_refused_in_the_servers_words(provider: Provider, namespace: str) -> None:
    with pytest.raises(StepError) as failure:
        provider.create(CONFIG_MAP, "settings", {**a_map(namespace), "dada": {"a": "b"}})

    assert ".dada: field not declared in schema" in failure.value.record.message
    assert failure.value.record.message.startswith("ConfigMap settings: ")


def test_a_field_of_another_owner_is_taken_only_by_force(provider: Provider, world: World, namespace: str) -> None:
    made = provider.create(CONFIG_MAP, "settings", a_map(namespace, mode="ours"))
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", **a_map(namespace, mode="theirs")}
    world.client.apply(theirs, field_manager="somebody", force=True)

    with pytest.raises(StepError, match="conflict"):
        provider.update(CONFIG_MAP, "settings", made, a_map(namespace, mode="new"))

    forced = a_map(namespace, mode="new")
    forced["metadata"]["annotations"] = {"pulumi.com/patchForce": "true"}
    assert provider.update(CONFIG_MAP, "settings", made, forced).outputs["data"] == {"mode": "new"}


def test_secrets_come_back_as_secrets(provider: Provider, namespace: str) -> None:
    metadata: dict[str, Tree] = {"name": "token", "namespace": namespace}
    inputs: dict[str, Tree] = {"metadata": metadata, "stringData": {"token": Secret("canary")}}
    made = provider.create("kubernetes:core/v1:Secret", "token", inputs)

    assert isinstance(made.outputs["data"], Secret)
    assert "canary" not in repr(made) and "Y2FuYXJ5" not in repr(made)


def test_a_deployment_is_done_when_its_pods_are(provider: Provider, namespace: str) -> None:
    made = provider.create(DEPLOYMENT, "door", a_deployment(namespace))

    assert said(made)["status"]["availableReplicas"] == 1


def test_one_that_cannot_run_is_kept_with_the_reason(provider: Provider, namespace: str) -> None:
    stuck = a_deployment(namespace, selects="no-such-node", **{"pulumi.com/timeoutSeconds": "1"})

    with pytest.raises(PartlyMade) as failure:
        provider.create(DEPLOYMENT, "door", stuck)

    assert failure.value.reasons == (f"Deployment {namespace}/door: 0 of 1 replicas available after 1 s",)
    assert failure.value.made.id == f"{namespace}/door"


def test_one_that_need_not_be_awaited_is_not(provider: Provider, namespace: str) -> None:
    stuck = a_deployment(namespace, selects="no-such-node", **{"pulumi.com/skipAwait": "true"})

    provider.create(DEPLOYMENT, "door", stuck)
    assert provider.awaited == []


def test_a_namespace_that_is_missing_is_named(provider: Provider) -> None:
    with pytest.raises(StepError, match='namespaces "nowhere" not found'):
        provider.create(CONFIG_MAP, "settings", a_map("nowhere"))
