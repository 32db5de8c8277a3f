"""Makes the values of the chart from the inputs. Pure."""

from __future__ import annotations

from typing import Any

from aiinfra.domains.kubernetes.charts.cert_manager.facts import CHART
from aiinfra.domains.kubernetes.charts.images import image_values
from aiinfra.domains.kubernetes.charts.trees import overlay
from stacks.cert_manager.spec import CertManagerInputs


def chart_values(inputs: CertManagerInputs) -> dict[str, Any]:
    """Return the values of the chart; `inputs.values` win.

    Leases go to its own namespace, none remains in kube-system.
    """
    ours = {
        "crds": {"enabled": True},
        "global": {"leaderElection": {"namespace": inputs.namespace}},
        "startupapicheck": {"enabled": False},
    }
    return overlay(overlay(image_values(CHART, inputs.charts), ours), inputs.values)
