"""The CustomResourceDefinitions that charts bring, written as structural schemas.

They follow what the upstream CRDs accept and refuse, field by field, and are no copies of them: no descriptions, and
of the fields only their types, enumerations, defaults and rules.
"""

from __future__ import annotations

from typing import Any

from aiinfra.domains.kubernetes.lab.crds import cluster_policy, node_features, nvidia_driver

_BY_CHART = {
    "gpu-operator": (cluster_policy.CRD, nvidia_driver.CRD),
    "node-feature-discovery": (node_features.NODE_FEATURE, node_features.NODE_FEATURE_RULE, node_features.GROUP),
}


def crds(chart: str) -> list[dict[str, Any]]:
    """The definitions in the `crds/` folder of `chart`, without those of its subcharts. Unknown charts have none."""
    return [dict(definition) for definition in _BY_CHART.get(chart, ())]
