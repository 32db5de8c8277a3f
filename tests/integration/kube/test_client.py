"""The client against a real API server, and what it says when it is refused."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
from ruamel.yaml import YAML

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import (
    Conflict,
    Invalid,
    KubeError,
    NoSuchKind,
    Refused,
    Unreachable,
    Untrusted,
)
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from tests.integration.kube.engine import Site

pytestmark = pytest.mark.lab


def a_map(name: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def ref(name: str) -> ObjectRef:
    return ObjectRef("v1", "ConfigMap", name, "default")


def changed_kubeconfig(site: Site, **changes: Any) -> str:
    """The site's kubeconfig as JSON, with changes to its cluster (`cluster`) or user (`user`)."""
    import json

    document = YAML(typ="safe", pure=True).load(site.kubeconfig)
    for kind, change in changes.items():
        document[f"{kind}s"][0][kind] = {**document[f"{kind}s"][0][kind], **change}
    return json.dumps(document)


def test_an_object_lives_and_goes(east: Site) -> None:
    made = east.client.apply(a_map("life", a="1"))
    assert east.client.get(ref("life")) == made
    assert east.client.apply(a_map("life", a="1"), dry_run=True)["metadata"]["uid"] == made["metadata"]["uid"]
    assert east.client.delete(ref("life"), uid=made["metadata"]["uid"])
    assert east.client.get(ref("life")) is None
    assert not east.client.delete(ref("life"))


def test_another_object_of_that_name_is_not_deleted(east: Site) -> None:
    east.client.apply(a_map("other"))
    with pytest.raises(Conflict):
        east.client.delete(ref("other"), uid="00000000-0000-0000-0000-000000000000")
    assert east.client.delete(ref("other"))


def test_pages_are_put_together(east: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiinfra.domains.kubernetes.client.client.PAGE", 2)
    for number in range(5):
        obj = a_map(f"page-{number}")
        obj["metadata"]["labels"] = {"paged": "yes"}
        east.client.apply(obj)
    found = east.client.list("v1", "ConfigMap", "default", labels="paged=yes")
    assert [obj["metadata"]["name"] for obj in found] == [f"page-{number}" for number in range(5)]
    for obj in found:
        east.client.delete(ObjectRef.of(obj))


def test_a_watch_tells_changes_and_ends_at_once_when_told(east: Site) -> None:
    stop, seen = threading.Event(), []
    since = east.client.apply(a_map("watched"))["metadata"]["resourceVersion"]

    def watch() -> None:
        for event, obj in east.client.watch("v1", "ConfigMap", "default", resource_version=since, stop=stop):
            seen.append((event, obj["metadata"]["name"]))
            if obj["metadata"]["name"] == "watched" and event == "DELETED":
                stop.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    east.client.apply(a_map("watched", a="1"))
    east.client.delete(ref("watched"))
    watcher.join(10)
    assert [event for event, name in seen if name == "watched"] == ["MODIFIED", "DELETED"]


def test_a_watch_that_waits_for_nothing_ends_too(east: Site) -> None:
    stop = threading.Event()
    watcher = threading.Thread(target=lambda: list(east.client.watch("v1", "Secret", "default", stop=stop)))
    watcher.start()
    stop.set()
    watcher.join(5)
    assert not watcher.is_alive()


def test_unknown_fields_are_refused_with_the_words_of_the_api(east: Site) -> None:
    with pytest.raises(Invalid) as caught:
        east.client.apply({**a_map("strict"), "daat": {}})
    assert caught.value.record.message == (
        "ConfigMap default/strict: failed to create typed patch object (default/strict; /v1, Kind=ConfigMap): "
        ".daat: field not declared in schema"
    )
    assert not caught.value.record.transient


def test_a_kind_that_is_not_served(east: Site) -> None:
    widget = ObjectRef("example.com/v1", "Widget", "w")
    assert east.client.get(widget) is None
    with pytest.raises(NoSuchKind) as caught:
        east.client.apply({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}})
    assert caught.value.record.message == (
        f"{east.client.server} serves no kind Widget in example.com/v1: "
        "its CustomResourceDefinition is absent or not established"
    )


def test_a_namespace_must_be_named(east: Site) -> None:
    with pytest.raises(Invalid) as caught:
        east.client.get(ObjectRef("v1", "ConfigMap", "x"))
    assert caught.value.record.message == "ConfigMap x names no namespace"


def test_fields_of_another_manager_are_not_taken(east: Site) -> None:
    east.client.apply(a_map("shared", a="1"), field_manager="somebody")
    with pytest.raises(Conflict) as caught:
        east.client.apply(a_map("shared", a="2"))
    assert 'conflict with "somebody": .data.a' in caught.value.record.message
    east.client.apply(a_map("shared", a="2"), force=True)
    east.client.delete(ref("shared"))


def asked(kubeconfig: str) -> KubeError:
    with pytest.raises(KubeError) as caught, KubeClient.from_kubeconfig(kubeconfig) as client:
        client.cluster_uid()
    return caught.value


def test_a_token_that_is_not_accepted(east: Site) -> None:
    error = asked(changed_kubeconfig(east, user={"token": "wrong-wrong-wrong"}))
    assert isinstance(error, Refused)
    assert error.record.message == f"{east.client.server} does not accept the credentials of the kubeconfig"
    assert error.record.hint == "get a fresh kubeconfig for this cluster"


def test_a_certificate_that_is_not_trusted(east: Site) -> None:
    document = {"insecure-skip-tls-verify": False, "certificate-authority-data": None}
    error = asked(changed_kubeconfig(east, cluster=document))
    assert isinstance(error, Untrusted)
    assert error.record.message.startswith(f"the certificate of {east.client.server} is not trusted: ")
    assert error.record.hint == "put the cluster's CA into certificate-authority-data of the kubeconfig"


def test_an_address_where_nobody_is(east: Site) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = f"https://127.0.0.1:{free.getsockname()[1]}"
        error = asked(changed_kubeconfig(east, cluster={"server": server}))
    assert isinstance(error, Unreachable)
    assert error.record.message == f"{server} cannot be reached: Connection refused"
    assert error.record.transient
