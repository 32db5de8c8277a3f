"""The chart of cert-manager v1.21.1 (cert-manager/cert-manager deploy/charts/cert-manager)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiinfra.domains.kubernetes.charts.chart_facts import ChartFacts, Reference
from aiinfra.domains.kubernetes.charts.trees import from_defaults

NAME, VERSION = "cert-manager", "v1.21.1"
DEPLOYMENTS = (NAME, f"{NAME}-webhook", f"{NAME}-cainjector")
VALUES: Mapping[str, Any] = from_defaults(json.loads(Path(__file__).with_name("values.json").read_text()))
"""Made by `python -m tools.chart_values` from the chart at its tag."""
CHART = ChartFacts(
    name=NAME,
    version=VERSION,
    app_version=VERSION,
    references=(Reference(NAME, "https://charts.jetstack.io"), Reference(f"oci://quay.io/jetstack/charts/{NAME}")),
    values=VALUES,
    crds=(
        *("certificaterequests.cert-manager.io", "certificates.cert-manager.io", "clusterissuers.cert-manager.io"),
        *("issuers.cert-manager.io", "challenges.acme.cert-manager.io", "orders.acme.cert-manager.io"),
    ),
    adds=(
        "with crds.enabled, the CustomResourceDefinitions of cert-manager.io and acme.cert-manager.io",
        "ServiceAccounts, ClusterRoles, Roles and their bindings",
        f"Deployments {', '.join(DEPLOYMENTS)}",
        "Services of the controller and the webhook, and the webhook's configurations",
    ),
    images={"imageRegistry": "quay.io"},
    pull_secret_objects=("global.imagePullSecrets",),
    unowned=(f"Secret {NAME}-webhook-ca",),
)
