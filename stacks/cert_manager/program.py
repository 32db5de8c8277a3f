"""cert-manager in a cluster, up to its three Deployments being available."""

from __future__ import annotations

from aiinfra.domains.kubernetes.charts.cert_manager.facts import CHART, DEPLOYMENTS
from aiinfra.domains.kubernetes.resources import wants
from aiinfra.domains.kubernetes.resources.chart import Installation, helm_chart
from aiinfra.stack import StackContext
from stacks.cert_manager.spec import CertManagerInputs, CertManagerInstall


def program(context: StackContext, inputs: CertManagerInputs) -> CertManagerInstall:
    """Install the chart. Leases go to its own namespace, none remains in kube-system; our wait replaces its check."""
    spec = Installation(
        version=inputs.version,
        namespace=inputs.namespace,
        values={
            "crds": {"enabled": True},
            "global": {"leaderElection": {"namespace": inputs.namespace}},
            "startupapicheck": {"enabled": False},
        },
        wants=[
            wants.rolled_out(wants.reference("apps/v1", "Deployment", name, inputs.namespace)) for name in DEPLOYMENTS
        ],
        limit=inputs.limit,
    )
    helm_chart(context, inputs.cluster, CHART, spec)
    return CertManagerInstall.of(namespace=inputs.namespace, version=inputs.version)
