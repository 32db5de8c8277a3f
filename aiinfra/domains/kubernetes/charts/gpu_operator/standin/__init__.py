"""What the GPU Operator and its operands do in a simulated cluster."""

from __future__ import annotations

from collections.abc import Sequence

from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import (
    DRIVER_API,
    DRIVER_KIND,
    POLICY_API,
    POLICY_KIND,
)
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import (
    belongings,
    mig,
    nvidia_drivers,
    operator,
    validation,
)
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.device_plugin import DevicePlugins
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.pace import Pace
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.upgrades import Upgrades
from aiinfra.domains.kubernetes.lab.controllers.controller import Controller
from aiinfra.domains.kubernetes.lab.controllers.view import built_in


def controllers() -> Sequence[Controller]:
    policy = {POLICY_KIND: POLICY_API, DRIVER_KIND: DRIVER_API}
    of_operator = built_in("Node", "Deployment", "DaemonSet", *belongings.ALL_KINDS) | policy
    of_upgrades = built_in("Node", "Pod", "Deployment", "DaemonSet", "PodDisruptionBudget") | policy
    return (
        Controller("gpu-operator", of_operator, Pace(operator.reconcile).reconcile, stand_in=True),
        Controller("nvidia-driver", of_operator, nvidia_drivers.reconcile, stand_in=True),
        Controller("driver-upgrades", of_upgrades, Upgrades().reconcile, stand_in=True),
        Controller("device-plugin", built_in("Node", "Pod", "ConfigMap") | policy, DevicePlugins().reconcile),
        Controller("mig-manager", built_in("Node", "Pod", "ConfigMap"), mig.reconcile),
        Controller("operator-validator", built_in("Pod") | policy, validation.reconcile),
    )
