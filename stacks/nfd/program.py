"""Node Feature Discovery in a cluster, up to workers on all nodes that they tolerate."""

from __future__ import annotations

from aiinfra.domains.kubernetes.charts.nfd.facts import CHART, NAME
from aiinfra.domains.kubernetes.resources import wants
from aiinfra.domains.kubernetes.resources.chart import PRIVILEGED, Installation, helm_chart
from aiinfra.stack import StackContext
from stacks.nfd.labels import gpu_label
from stacks.nfd.spec import NfdInputs, NfdInstall
from stacks.nfd.values import chart_values


def program(context: StackContext, inputs: NfdInputs) -> NfdInstall:
    spec = Installation(
        namespace=inputs.namespace,
        values=chart_values(inputs),
        wants=[
            wants.rolled_out(wants.reference("apps/v1", "Deployment", f"{NAME}-master", inputs.namespace)),
            wants.rolled_out(wants.reference("apps/v1", "DaemonSet", f"{NAME}-worker", inputs.namespace)),
        ],
        limit=inputs.limit,
        labels=PRIVILEGED,
    )
    helm_chart(context, inputs, CHART, spec)
    return NfdInstall.of(
        namespace=inputs.namespace,
        version=inputs.version,
        gpu_label=gpu_label(inputs.label_fields),
    )
