"""Makes the values of the chart from the inputs. Pure."""

from __future__ import annotations

from typing import Any

from aiinfra.domains.kubernetes.charts.images import image_values
from aiinfra.domains.kubernetes.charts.nfd.facts import CHART
from aiinfra.domains.kubernetes.charts.trees import overlay
from stacks.nfd.spec import NfdInputs

FIELDS = {
    "tolerations": "worker.tolerations",
    "device_classes": "worker.config.sources.pci.deviceClassWhitelist",
    "label_fields": "worker.config.sources.pci.deviceLabelFields",
}
"""By input, the value that it becomes."""


def chart_values(inputs: NfdInputs) -> dict[str, Any]:
    """Return the values of the chart; `inputs.values` win over those made from fields, those over the registry."""
    return overlay(overlay(image_values(CHART, inputs.charts), field_values(inputs)), inputs.values)


def field_values(inputs: NfdInputs) -> dict[str, Any]:
    """Return the values that are made from the fields."""
    pci = {"deviceClassWhitelist": list(inputs.device_classes), "deviceLabelFields": list(inputs.label_fields)}
    return {
        "worker": {
            "tolerations": [toleration.as_json() for toleration in inputs.tolerations],
            "config": {"sources": {"pci": pci}},
        }
    }
