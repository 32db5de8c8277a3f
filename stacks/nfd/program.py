"""Node Feature Discovery in a cluster, up to workers on all nodes that they tolerate."""

from __future__ import annotations

from typing import Any

from aiinfra.domains.kubernetes.charts.nfd.facts import CHART, NAME
from aiinfra.domains.kubernetes.resources import wants
from aiinfra.domains.kubernetes.resources.chart import PRIVILEGED, Installation, helm_chart
from aiinfra.stack import StackContext
from stacks.nfd.labels import gpu_label
from stacks.nfd.spec import NfdInputs, NfdInstall


def program(context: StackContext, inputs: NfdInputs) -> NfdInstall:
    spec = Installation(
        version=inputs.version,
        namespace=inputs.namespace,
        values=chart_values(inputs),
        wants=[
            wants.rolled_out(wants.reference("apps/v1", "Deployment", f"{NAME}-master", inputs.namespace)),
            wants.rolled_out(wants.reference("apps/v1", "DaemonSet", f"{NAME}-worker", inputs.namespace)),
        ],
        limit=inputs.limit,
        labels=PRIVILEGED,
    )
    helm_chart(context, inputs.cluster, CHART, spec)
    return NfdInstall.of(
        namespace=inputs.namespace,
        version=inputs.version,
        gpu_label=gpu_label(inputs.label_fields),
    )


def chart_values(inputs: NfdInputs) -> dict[str, Any]:
    """Return the values of the chart for the inputs."""
    pci = {"deviceClassWhitelist": list(inputs.device_classes), "deviceLabelFields": list(inputs.label_fields)}
    return {
        "worker": {
            "tolerations": [toleration.as_json() for toleration in inputs.tolerations],
            "config": {"sources": {"pci": pci}},
        }
    }
