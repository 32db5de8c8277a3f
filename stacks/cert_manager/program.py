"""cert-manager in a cluster, up to its three Deployments being available."""

from __future__ import annotations

from aiinfra.domains.kubernetes.charts.cert_manager.facts import CHART, DEPLOYMENTS
from aiinfra.domains.kubernetes.resources import wants
from aiinfra.domains.kubernetes.resources.chart import Installation, helm_chart
from aiinfra.stack import StackContext
from stacks.cert_manager.spec import CertManagerInputs, CertManagerInstall
from stacks.cert_manager.values import chart_values


def program(context: StackContext, inputs: CertManagerInputs) -> CertManagerInstall:
    """Install the chart; our wait replaces its own check."""
    spec = Installation(
        namespace=inputs.namespace,
        values=chart_values(inputs),
        wants=[
            wants.rolled_out(wants.reference("apps/v1", "Deployment", name, inputs.namespace)) for name in DEPLOYMENTS
        ],
        limit=inputs.limit,
    )
    helm_chart(context, inputs, CHART, spec)
    return CertManagerInstall.of(namespace=inputs.namespace, version=inputs.version)
