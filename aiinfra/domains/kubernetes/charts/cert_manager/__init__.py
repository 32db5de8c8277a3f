"""cert-manager."""

from aiinfra.domains.kubernetes.charts import Chart

CHART = Chart(name="cert-manager", facts=f"{__name__}.facts:CHART", manifest=f"{__name__}.standin.manifest:manifest")
