"""Node Feature Discovery in a cluster, up to workers on all nodes that they tolerate."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.helm.v3 import Release

from aiinfra.domains.kubernetes.facts.nfd_chart import CHART, NAME, OCI
from aiinfra.domains.kubernetes.resources import wants
from aiinfra.domains.kubernetes.resources.objects import Bundle, CustomResourceDefinitions, Ready, namespace_object
from aiinfra.stack import StackContext
from stacks.nfd.labels import gpu_label
from stacks.nfd.spec import NfdInputs, NfdInstall

PRIVILEGED = {"pod-security.kubernetes.io/enforce": "privileged"}
"""The worker mounts folders of the host."""


def program(context: StackContext, inputs: NfdInputs) -> NfdInstall:
    cluster = inputs.cluster
    provider = kubernetes.Provider("cluster", kubeconfig=cluster.kubeconfig)
    namespace = Bundle(
        context,
        "namespace",
        cluster=cluster,
        objects=[namespace_object(inputs.namespace, PRIVILEGED)],
    )
    brought = CustomResourceDefinitions(context, "definitions", cluster=cluster, names=CHART.crds)
    release = Release(
        NAME,
        name=NAME,
        chart=OCI,
        version=inputs.version,
        namespace=inputs.namespace,
        values=chart_values(inputs),
        skip_await=True,
        timeout=inputs.limit,
        opts=pulumi.ResourceOptions(provider=provider, depends_on=[namespace, brought]),
    )
    Ready(
        context,
        "ready",
        cluster=cluster,
        wants=[
            wants.rolled_out(wants.reference("apps/v1", "Deployment", f"{NAME}-master", inputs.namespace)),
            wants.rolled_out(wants.reference("apps/v1", "DaemonSet", f"{NAME}-worker", inputs.namespace)),
        ],
        limit_seconds=inputs.limit,
        after=release.status.revision,
        definitions=brought.brought,
        release={"name": NAME, "namespace": inputs.namespace},
        opts=pulumi.ResourceOptions(depends_on=[release]),
    )
    return NfdInstall.of(
        namespace=inputs.namespace,
        version=inputs.version,
        gpu_label=gpu_label(inputs.label_fields),
    )


def chart_values(inputs: NfdInputs) -> dict[str, Any]:
    """What the inputs come to as values of the chart."""
    pci = {"deviceClassWhitelist": list(inputs.device_classes), "deviceLabelFields": list(inputs.label_fields)}
    return {
        "worker": {
            "tolerations": [toleration.as_json() for toleration in inputs.tolerations],
            "config": {"sources": {"pci": pci}},
        }
    }
