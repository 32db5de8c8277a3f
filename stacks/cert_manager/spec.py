"""cert-manager: issues and renews TLS certificates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from aiinfra.domains.kubernetes.access import ClusterAccess
from aiinfra.domains.kubernetes.charts.block import ChartSources
from aiinfra.domains.kubernetes.fields import KubernetesName
from aiinfra.model.units import Limit
from aiinfra.stack import Input, Inputs, Linked, Outputs


class CertManagerInputs(Inputs):
    cluster: Linked[ClusterAccess]
    """Where it goes: `${cluster}`."""
    version: str = "v1.21.1"
    """Version of the chart, with its leading v."""
    namespace: KubernetesName = "cert-manager"
    chart: str = ""
    """Where its chart comes from: a path, `https://…` of a repository, `oci://…`. Empty: `charts.mirror`, or the
    official one. A relative path starts at the environment file's folder."""
    charts: ChartSources | None = None
    """Mirror and image registry; the file's `charts` block unless the stack has its own."""
    values: Mapping[str, Any] = Field(default_factory=dict)
    """Further values of the chart, merged over those made from the fields above."""
    limit: Limit = 600
    """How long its Deployments may take to be available."""


class CertManagerInstall(Outputs):
    namespace: Input[str]
    version: Input[str]
