"""What the GPU Operator and its operands do in a simulated cluster."""

from __future__ import annotations

from collections.abc import Sequence

from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import POLICY_API, POLICY_KIND
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import belongings, operator, upgrades, validation
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.device_plugin import DevicePlugins
from aiinfra.domains.kubernetes.lab.controllers.controller import Controller
from aiinfra.domains.kubernetes.lab.controllers.view import built_in


def controllers() -> Sequence[Controller]:
    policy = {POLICY_KIND: POLICY_API}
    of_operator = built_in("Node", "Deployment", "DaemonSet", *belongings.ALL_KINDS) | policy
    return (
        Controller("gpu-operator", of_operator, operator.reconcile),
        Controller("driver-upgrades", built_in("Node", "Pod", "DaemonSet") | policy, upgrades.reconcile),
        Controller("device-plugin", built_in("Node", "Pod", "ConfigMap") | policy, DevicePlugins().reconcile),
        Controller("operator-validator", built_in("Pod") | policy, validation.reconcile),
    )
