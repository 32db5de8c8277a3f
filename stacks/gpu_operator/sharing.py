"""The device plugin's configuration for GPUs that several pods share."""

from __future__ import annotations

import hashlib

from aiinfra.templating import render
from stacks.gpu_operator.spec import GpuOperatorInputs
from stacks.gpu_operator.values import mig_strategy


def device_plugin_config(inputs: GpuOperatorInputs) -> str:
    """Return the document for time-slicing; empty when nothing is shared.

    `migStrategy` is repeated in it, as a value there wins over the operator's (NVIDIA/k8s-device-plugin api/config/v1).
    """
    shared = inputs.sharing.time_slicing
    if shared is None:
        return ""
    return render(
        "gpu_operator/device-plugin.yaml.j2",
        mig_strategy=mig_strategy(inputs),
        replicas=shared.replicas,
        rename=shared.rename,
        fail_requests_greater_than_one=shared.fail_requests_greater_than_one,
    )


def config_name(document: str) -> str:
    """Return the ConfigMap's name, made from its document: the operator only rolls its pods when the name changes."""
    return f"device-plugin-{hashlib.sha256(document.encode()).hexdigest()[:8]}" if document else ""
