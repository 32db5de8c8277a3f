"""Which controllers a simulated cluster has, by its platform: a list for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from aiinfra.domain import load
from aiinfra.domains.kubernetes.charts import charts
from aiinfra.domains.kubernetes.lab.controllers import garbage, webhook_down
from aiinfra.domains.kubernetes.lab.controllers.controller import Controller
from aiinfra.domains.kubernetes.lab.controllers.kubelet import Kubelets
from aiinfra.domains.kubernetes.lab.controllers.view import built_in

KUBERNETES = "kubernetes"
"""The platform of a cluster that names none."""


def _kubernetes() -> Sequence[Controller]:
    """Faults first; kubelets last, as they act on what the others have made."""
    known = tuple(charts())
    kubelets = Kubelets([load(chart.fates) for chart in known if chart.fates])
    return (
        Controller("webhook-down", built_in("ValidatingWebhookConfiguration", "Namespace"), webhook_down.reconcile),
        Controller("garbage", built_in(*garbage.KINDS), garbage.reconcile),
        *(controller for chart in known if chart.controllers for controller in load(chart.controllers)()),
        Controller("kubelets", built_in("Node", "Pod", "ConfigMap"), kubelets.reconcile),
    )


PLATFORMS: Mapping[str, Callable[[], Sequence[Controller]]] = {
    KUBERNETES: _kubernetes,
}


def controllers_of(platform: str) -> Sequence[Controller]:
    """New controllers for one cluster of this platform. Raises `ValueError` for one that is not known."""
    if platform not in PLATFORMS:
        raise ValueError(f"no controllers are known for the platform {platform}: known are {', '.join(PLATFORMS)}")
    return PLATFORMS[platform]()
