"""Node Feature Discovery."""

from aiinfra.domains.kubernetes.charts import Chart

CHART = Chart(
    name="node-feature-discovery",
    facts=f"{__name__}.facts:CHART",
    manifest=f"{__name__}.standin.manifest:manifest",
    controllers=f"{__name__}.standin:controllers",
    fates=f"{__name__}.standin:fates",
)
