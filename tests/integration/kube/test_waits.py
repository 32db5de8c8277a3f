"""Identity, waits, proofs and sweeps in real clusters."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.objects.sweep import inventory, sweep
from aiinfra.domains.kubernetes.resources import wants
from aiinfra.engine.wire import Tree
from aiinfra.providers.servicer import Served
from aiinfra.waiting import Pending, Waiter
from tests.integration.kube.engine import Connection, Failed, Properties, Site

pytestmark = pytest.mark.lab

CLUSTER, READY = "aiinfra:kubernetes:Cluster", "aiinfra:kubernetes:Ready"
DEFINITIONS = "aiinfra:kubernetes:CustomResourceDefinitions"
PROOF, THING = "aiinfra:proof:GpuProof", "aiinfra:test:Thing"


def a_map(name: str, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default", **metadata}}


def ref(name: str) -> ObjectRef:
    return ObjectRef("v1", "ConfigMap", name, "default")


def a_wait(site: Site, *wanted: wants.Want, limit: float = 1, **more: Tree) -> Properties:
    return {**site.access(), "wants": [dict(want) for want in wanted], "limit_seconds": limit, **more}


def test_a_cluster_says_who_it_is(engine: Connection, east: Site) -> None:
    made = engine.create(CLUSTER, {"kubeconfig": east.kubeconfig})
    assert (made["uid"], made["version"], made["server"]) == (east.uid, "v1.36.3", east.client.server)


def test_a_new_kubeconfig_of_the_same_cluster_is_an_update(engine: Connection, east: Site) -> None:
    made = engine.create(CLUSTER, {"kubeconfig": east.kubeconfig})
    other = east.kubeconfig + "\n"
    assert engine.diff(CLUSTER, made, {"kubeconfig": other}) == ["kubeconfig"]
    assert engine.update(CLUSTER, made, {"kubeconfig": other})["uid"] == east.uid


def test_a_kubeconfig_of_another_cluster_stops(engine: Connection, east: Site, west: Site) -> None:
    made = engine.create(CLUSTER, {"kubeconfig": east.kubeconfig})
    with pytest.raises(Failed) as caught:
        engine.update(CLUSTER, made, {"kubeconfig": west.kubeconfig})
    assert caught.value.text == (
        f"{west.client.server} is another cluster: its uid is {west.uid}, recorded is {east.uid}"
        " → give the kubeconfig of the recorded cluster; the new one takes an environment of another name"
        " [cluster.another]"
    )


def test_a_wait_says_by_name_what_it_waits_for(engine: Connection, east: Site, said: list[str]) -> None:
    want = wants.exists(wants.reference("v1", "ConfigMap", "late", "default"))

    def come_late() -> None:
        Waiter(20).until(lambda: bool(said) or Pending("the first word of the wait"))
        east.client.apply(a_map("late"))

    late = threading.Thread(target=come_late)
    late.start()
    made = engine.create(READY, a_wait(east, want, limit=20))
    late.join()
    assert said[0] == "ConfigMap default/late: not there"
    assert made["facts"] == ["ConfigMap default/late is there"]
    east.client.delete(ref("late"))
    inputs = a_wait(east, want)
    assert engine.read(READY, inputs, made)["wants"] == []


def test_a_wait_that_fails_is_kept_in_the_state_with_the_root(engine: Connection, east: Site) -> None:
    with pytest.raises(Failed) as caught:
        engine.create(READY, a_wait(east, wants.established("widgets.example.com")))
    assert re.sub(r"after \d+ s", "after N s", caught.value.text) == (
        "CustomResourceDefinition widgets.example.com is not there after N s"
        " ← no chart or operator has brought CustomResourceDefinition widgets.example.com to the cluster yet"
        " → run again once it is there, or see why the release that carries it left it out [kube.not_ready]"
    )
    assert caught.value.kept is not None


def test_a_broken_root_that_stays_ends_the_wait_early(engine: Connection, east: Site, said: list[str]) -> None:
    with pytest.raises(Failed):
        engine.create(READY, a_wait(east, wants.cluster_policy_ready("cluster-policy"), limit=300))
    assert said[-1] == (
        "ClusterPolicy cluster-policy: not there"
        " ← CustomResourceDefinition of ClusterPolicy in nvidia.com does not exist"
    )


def test_what_is_no_want_is_refused_by_its_place(engine: Connection, east: Site) -> None:
    with pytest.raises(AssertionError, match="wants\\[0\\] is no want"):
        engine.create(READY, a_wait(east, {"object": {"kind": "Pod"}}))


def test_what_must_go_first_goes_with_all_that_it_owns(engine: Connection, east: Site) -> None:
    owner = east.client.apply(a_map("owner"))
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    east.client.apply(a_map("owned", ownerReferences=[reference]))
    first: Tree = [wants.reference("v1", "ConfigMap", "owner", "default")]
    want = wants.exists(wants.reference("v1", "Namespace", "default"))
    engine.delete(READY, engine.create(READY, a_wait(east, want, limit=20, remove_first=first)))
    assert (east.client.get(ref("owner")), east.client.get(ref("owned"))) == (None, None)


def test_a_deletion_that_is_held_up_names_the_finalizer(engine: Connection, east: Site) -> None:
    east.client.apply(a_map("held", finalizers=["example.com/hold"]))
    first: Tree = [wants.reference("v1", "ConfigMap", "held", "default")]
    want = wants.exists(wants.reference("v1", "Namespace", "default"))
    made = engine.create(READY, a_wait(east, want, remove_first=first))
    with pytest.raises(Failed) as caught:
        engine.delete(READY, made)
    assert caught.value.text == (
        "ConfigMap default/held did not go away"
        " ← waits for its finalizer example.com/hold, whose controller does not act"
        " → find out why its controller does not act; then run destroy again [kube.stuck]"
    )
    east.client.patch(ref("held"), {"metadata": {"finalizers": None}})


def a_crd(name: str) -> dict[str, Any]:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    names = {"plural": name, "kind": name.title()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{name}.example.com"},
        "spec": {"group": "example.com", "scope": "Cluster", "names": names, "versions": [version]},
    }


def test_only_definitions_that_were_absent_are_removed(engine: Connection, east: Site) -> None:
    east.client.apply(a_crd("theirs"))
    names: Tree = ["theirs.example.com", "ours.example.com"]
    made = engine.create(DEFINITIONS, {**east.access(), "names": names})
    assert made["brought"] == ["ours.example.com"]
    east.client.apply(a_crd("ours"))
    engine.delete(DEFINITIONS, made)
    left = {obj["metadata"]["name"] for obj in east.client.list("apiextensions.k8s.io/v1", "CustomResourceDefinition")}
    assert left & {"theirs.example.com", "ours.example.com"} == {"theirs.example.com"}
    east.client.delete(ObjectRef.of(a_crd("theirs")))


def test_of_the_definitions_that_a_chart_may_bring_those_that_came_are_noted(engine: Connection, east: Site) -> None:
    east.client.apply(a_map("there"))
    east.client.apply(a_crd("ours"))
    wanted = wants.exists(wants.reference("v1", "ConfigMap", "there", "default"))
    names: Tree = ["of-another-version.example.com", "ours.example.com"]

    made = engine.create(READY, a_wait(east, wanted, definitions=names))

    assert made["definitions"] == ["ours.example.com"]
    again = engine.update(READY, made, a_wait(east, wanted, definitions=names))
    assert again["definitions"] == ["ours.example.com"]
    east.client.delete(ref("there"))
    east.client.delete(ObjectRef.of(a_crd("ours")))


def a_proof(site: Site, **more: Tree) -> Properties:
    return {
        **site.access(),
        "namespace": "default",
        "policy": "cluster-policy",
        "resources": ["nvidia.com/gpu"],
        "tolerations": [],
        "image": "cuda:1",
        "pull_secrets": [],
        "expected_nodes": 1,
        "expected_gpus": 8,
        "limit_seconds": 2,
        **more,
    }


def test_a_proof_fails_at_its_first_rung(engine: Connection, east: Site) -> None:
    with pytest.raises(Failed) as caught:
        engine.create(PROOF, a_proof(east))
    assert caught.value.step.record.message.startswith(
        "the label feature.node.kubernetes.io/pci-10de.present=true (or one like it) is on 0 of 1 nodes after "
    )
    assert caught.value.step.causes == (
        "no worker of Node Feature Discovery is in the cluster, so nothing labels its nodes",
    )


@pytest.mark.parametrize("key", ["expected_nodes", "expected_gpus"])
def test_a_proof_of_nothing_is_refused(engine: Connection, east: Site, key: str) -> None:
    with pytest.raises(AssertionError, match=f"{key} must be at least 1: a proof of nothing is no proof"):
        engine.create(PROOF, a_proof(east, **{key: 0}))


def test_a_sweep_takes_what_is_marked_and_what_helm_left(east: Site) -> None:
    labels = {"aiinfra.dev/environment-id": "5eeb00"}
    east.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "swept", "labels": labels}})
    role: dict[str, Any] = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": []}
    helm = {"meta.helm.sh/release-namespace": "swept"}
    east.client.apply({**role, "metadata": {"name": "of-helm", "annotations": helm}})
    east.client.apply({**role, "metadata": {"name": "of-others"}})
    east.client.apply(a_map("marked", labels=labels))
    assert [str(found) for found in inventory(east.client, "5eeb00")] == [
        "ClusterRole of-helm",
        "ConfigMap default/marked",
        "Namespace swept",
    ]
    swept = sweep(east.client, "5eeb00")
    assert ([str(found) for found in swept.removed], swept.left) == (
        ["ClusterRole of-helm", "ConfigMap default/marked", "Namespace swept"],
        [],
    )
    assert east.client.delete(ObjectRef("rbac.authorization.k8s.io/v1", "ClusterRole", "of-others"))


def test_a_sweep_tells_what_it_could_not_take(east: Site) -> None:
    labels = {"aiinfra.dev/environment-id": "5eeb01"}
    east.client.apply(a_map("stuck", labels=labels, finalizers=["example.com/hold"]))
    swept = sweep(east.client, "5eeb01", limit_seconds=1)
    assert [str(item) for item in swept.left] == [
        "ConfigMap default/stuck: waits for its finalizer example.com/hold, whose controller does not act"
    ]
    east.client.patch(ref("stuck"), {"metadata": {"finalizers": None}})


def test_waiting_creates_do_not_hold_up_a_quick_one(served: Served, tmp_path: Path) -> None:
    with Connection(served.ports["aiinfra"]) as slow, Connection(served.ports["aiinfra"]) as quick:
        ended: list[Failed | None] = []

        def wait(number: int) -> None:
            try:
                slow.create(THING, {"delay": 60, "file": str(tmp_path / f"w{number}")}, name=f"w{number}")
            except Failed as failed:
                ended.append(failed)

        waiting = [threading.Thread(target=wait, args=(number,)) for number in range(48)]
        for thread in waiting:
            thread.start()
        assert quick.create(THING, {"value": 1})["value"] == 1
        slow.cancel()
        for thread in waiting:
            thread.join(20)
        assert not any(thread.is_alive() for thread in waiting)


def test_a_thing_is_made_once_however_often_it_is_created(engine: Connection, tmp_path: Path) -> None:
    inputs: Properties = {"file": str(tmp_path / "world" / "a"), "mark": "m"}
    first, second = engine.create(THING, inputs), engine.create(THING, inputs)
    assert first["id"] == second["id"]
    assert len(list((tmp_path / "world").iterdir())) == 1
