"""Two kinds for rendering: a cluster that makes secrets and unknown values, and an app that uses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import pulumi
import pulumi_kubernetes as kubernetes

from aiinfra.catalog import Catalog
from aiinfra.domains.kubernetes.resources.objects import Cluster
from aiinfra.stack import SECRET, Input, Inputs, Linked, Outputs, StackContext, StackType


class ClusterTaken(Inputs):
    kubeconfig: Input[str]


class ClusterGiven(Outputs):
    kubeconfig: Annotated[Input[str], SECRET]
    uid: Input[str]
    zone: Input[str]


class AppTaken(Inputs):
    cluster: Linked[ClusterGiven]
    settings: Mapping[str, Input[str]]
    fails: str = ""


class AppGiven(Outputs):
    address: Input[str]


def cluster(context: StackContext, inputs: ClusterTaken) -> ClusterGiven:
    made = Cluster("cluster", kubeconfig=inputs.kubeconfig)
    return ClusterGiven.of(kubeconfig=inputs.kubeconfig, uid=made.uid, zone="north")


def app(context: StackContext, inputs: AppTaken) -> AppGiven:
    if inputs.fails:
        raise ValueError(inputs.fails)
    provider = kubernetes.Provider("cluster", kubeconfig=inputs.cluster.kubeconfig)
    here = pulumi.ResourceOptions(provider=provider)
    cluster_data = {"uid": inputs.cluster.uid, "zone": inputs.cluster.zone, "login": inputs.cluster.kubeconfig}
    kubernetes.core.v1.ConfigMap("facts", metadata={"name": "facts"}, data=cluster_data, opts=here)
    kubernetes.core.v1.Secret("settings", metadata={"name": "settings"}, string_data=inputs.settings, opts=here)
    service = kubernetes.core.v1.Service("door", spec={"ports": [{"port": 80}]}, opts=here)
    address = service.status.apply(lambda status: status.load_balancer.ingress[0].ip)
    data = {"at": address, "door": service.metadata.uid}
    kubernetes.core.v1.ConfigMap("address", metadata={"name": "address"}, data=data, opts=here)
    return AppGiven.of(address=address)


HERE = "tests.unit.render.kinds"
CATALOG = Catalog.of(
    StackType("cluster", "A cluster.", ClusterTaken, ClusterGiven, f"{HERE}:cluster", domains=("kubernetes",)),
    StackType("app", "An app.", AppTaken, AppGiven, f"{HERE}:app", domains=("kubernetes",)),
)
