"""Which controllers a simulated cluster has, by its platform: a list for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from aiinfra.domain import load
from aiinfra.domains.kubernetes.charts import charts
from aiinfra.domains.kubernetes.lab.block import Operators, Platform
from aiinfra.domains.kubernetes.lab.controllers import garbage, webhook_down
from aiinfra.domains.kubernetes.lab.controllers.controller import Controller
from aiinfra.domains.kubernetes.lab.controllers.kubelet import Kubelets
from aiinfra.domains.kubernetes.lab.controllers.view import built_in


def _kubernetes() -> Sequence[Controller]:
    """Return the controllers of plain Kubernetes: faults first; kubelets last, as they act on what the others made."""
    known = tuple(charts())
    kubelets = Kubelets([load(chart.fates) for chart in known if chart.fates])
    return (
        Controller("webhook-down", built_in("ValidatingWebhookConfiguration", "Namespace"), webhook_down.reconcile),
        Controller("garbage", built_in(*garbage.KINDS), garbage.reconcile),
        *(controller for chart in known if chart.controllers for controller in load(chart.controllers)()),
        Controller("kubelets", built_in("Node", "Pod", "ConfigMap"), kubelets.reconcile),
    )


PLATFORMS: Mapping[Platform, Callable[[], Sequence[Controller]]] = {
    "kubernetes": _kubernetes,
}


def controllers_of(platform: Platform, operators: Operators = "stand-in") -> Sequence[Controller]:
    """Return new controllers for one cluster of this platform; with real operators, without their stand-ins."""
    return [each for each in PLATFORMS[platform]() if operators == "stand-in" or not each.stand_in]
