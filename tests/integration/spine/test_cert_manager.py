"""A plain chart kind in a lab: the example `cert-manager`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from aiinfra.domains.kubernetes.client.errors import KubeError
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.waiting import Pending, Waiter
from tests.integration.spine.lab_site import EXAMPLE, cluster, inventory
from tests.integration.spine.site import Site

pytestmark = [pytest.mark.engine, pytest.mark.lab]
ORDERS = ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", "orders.acme.cert-manager.io")
ISSUER = {"apiVersion": "cert-manager.io/v1", "kind": "ClusterIssuer", "metadata": {"name": "own"}}


@pytest.fixture
def site(make_site: Callable[..., Site], lab_servers: Mapping[str, Path]) -> Iterator[Site]:
    made = make_site({"unused": {"kind": "things"}}, environment="lab")
    text = EXAMPLE.with_name("cert-manager.yaml").read_text()
    (made.folder / "lab.yaml").write_text(text.replace("name: cert-manager", "name: lab"))
    yield made
    made.run("lab", "stop", "lab")


def test_it_comes_up_is_repaired_and_leaves_nothing(site: Site) -> None:
    assert site.result("up", "--only", "cluster")["exit_code"] == 0
    before = inventory(site)
    assert site.result("up")["exit_code"] == 0
    assert {result["outcome"] for result in site.result("up")["results"]} == {"unchanged"}
    with cluster(site) as client:
        client.apply({**ISSUER, "spec": {"selfSigned": {}}})
        with pytest.raises(KubeError, match=r"\.spec\.selfSigned\.days: field not declared in schema"):
            client.apply({**ISSUER, "spec": {"selfSigned": {"days": 3}}})
        client.delete(ORDERS)
        Waiter(20).until(lambda: Pending(f"{ORDERS} to go") if client.get(ORDERS) else True)

    told = json.loads(site.run("refresh", "lab", "--output", "json").stdout)
    assert list(told["results"][1]["drift"]) == [f"{ORDERS} is gone"]
    assert site.result("up")["exit_code"] == 0
    with cluster(site) as client:
        assert client.get(ORDERS) is not None

    stopped = site.result("destroy", "--keep-lab")
    (error,) = stopped["errors"]
    assert (stopped["exit_code"], error["code"], error["where"]) == (2, "destroy.dependents", "cert-manager")
    assert error["message"] == (
        "others' ClusterIssuer own would be lost with CustomResourceDefinition clusterissuers.cert-manager.io"
    )
    gone = site.result("destroy", "--keep-lab", "--with-dependents")
    assert (gone["exit_code"], [one["what"] for one in gone["dependents"]]) == (0, ["ClusterIssuer own"])
    assert inventory(site) == before
