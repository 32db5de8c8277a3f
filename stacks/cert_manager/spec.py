"""cert-manager: issues and renews TLS certificates."""

from __future__ import annotations

from aiinfra.domains.kubernetes.access import ClusterAccess
from aiinfra.domains.kubernetes.fields import KubernetesName
from aiinfra.model.units import Limit
from aiinfra.stack import Input, Inputs, Linked, Outputs


class CertManagerInputs(Inputs):
    cluster: Linked[ClusterAccess]
    """Where it goes: `${cluster}`."""
    version: str = "v1.21.1"
    """Version of the chart, with its leading v."""
    namespace: KubernetesName = "cert-manager"
    limit: Limit = 600
    """How long its Deployments may take to be available."""


class CertManagerInstall(Outputs):
    namespace: Input[str]
    version: Input[str]
