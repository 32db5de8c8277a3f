"""NVIDIA's GPU Operator."""

from aiinfra.domains.kubernetes.charts import Chart

CHART = Chart(
    name="gpu-operator",
    facts=f"{__name__}.facts:CHART",
    manifest=f"{__name__}.standin.manifest:manifest",
    controllers=f"{__name__}.standin:controllers",
    fates=f"{__name__}.standin.fate:fates",
)
