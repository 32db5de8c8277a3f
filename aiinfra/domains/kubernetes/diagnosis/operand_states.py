"""The states of the GPU Operator that a ClusterPolicy names as not ready, and the DaemonSets of each. Pure.

NVIDIA/gpu-operator v26.7.0: controllers/clusterpolicy_controller.go (clusterPolicyNotReadyMessage), assets/. The text
before the list differs between versions (`…, states not ready: [` in v25.3.4, `…; states not ready: [` in v26.7.0).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.diagnosis.snapshot import labels, name, status

_STATES = re.compile(r"states not ready: \[(?P<states>[^\]]*)\]")
OPERANDS: Mapping[str, str] = {
    "state-driver": "nvidia-driver-daemonset",
    "state-container-toolkit": "nvidia-container-toolkit-daemonset",
    "state-operator-validation": "nvidia-operator-validator",
    "state-device-plugin": "nvidia-device-plugin-daemonset",
    "state-mps-control-daemon": "nvidia-device-plugin-mps-control-daemon",
    "state-dcgm": "nvidia-dcgm",
    "state-dcgm-exporter": "nvidia-dcgm-exporter",
    "gpu-feature-discovery": "gpu-feature-discovery",
    "state-mig-manager": "nvidia-mig-manager",
    "state-node-status-exporter": "nvidia-node-status-exporter",
    "state-vgpu-manager": "nvidia-vgpu-manager-daemonset",
    "state-vgpu-device-manager": "nvidia-vgpu-device-manager",
    "state-sandbox-validation": "nvidia-sandbox-validator",
    "state-vfio-manager": "nvidia-vfio-manager",
    "state-sandbox-device-plugin": "nvidia-sandbox-device-plugin-daemonset",
    "state-kata-device-plugin": "nvidia-kata-sandbox-device-plugin-daemonset",
    "state-kata-manager": "nvidia-kata-manager",
    "state-cc-manager": "nvidia-cc-manager",
}
"""By state, the `app` of its DaemonSet. A precompiled driver has one for each kernel, with more at its end."""
DRIVER = OPERANDS["state-driver"]


def states_not_ready(policy: Object) -> Sequence[str]:
    """Return the states that the policy's conditions name as not ready; empty when they name none."""
    messages = (str(c.get("message") or "") for c in status(policy).get("conditions") or () if c["status"] != "False")
    named = (state for message in messages for found in _STATES.finditer(message) for state in found["states"].split())
    return list(dict.fromkeys(named))


def lacking_operands(policy: Object, operands: Sequence[Object]) -> list[Object]:
    """Return the operands of the states that the policy names as not ready; all when it names none that is known.

    What the operator takes as ready is no root: a MIG manager or an MPS daemon that no node asks for has no pods.
    """
    apps = {OPERANDS[state] for state in states_not_ready(policy) if state in OPERANDS}
    return [operand for operand in operands if _app(operand) in apps] or list(operands)


def _app(operand: Object) -> str:
    app = labels(operand).get("app", name(operand))
    return DRIVER if app.startswith(f"{DRIVER}-") else app
