"""What the faults that are set do inside one cluster. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiinfra.facts.gpu_operator import OPERANDS
from aiinfra.lab.controllers.hardware import Hardware
from aiinfra.lab.controllers.view import Object, labels

CRD_LATE, WEBHOOK_DOWN = "crd-late", "webhook-down"
DRIVER_MISMATCH, IMAGE_PULL = "driver-kernel-mismatch", "image-pull"


@dataclass(frozen=True, slots=True)
class Faults:
    """Names of the faults that are set in a cluster."""

    names: frozenset[str] = frozenset()

    def unpullable(self, pod: Object, machine: Hardware) -> Mapping[str, str]:
        """Image to the registry's refusal, for the images of this pod."""
        if IMAGE_PULL in self.names and _pulled(pod):
            return {_first_image(pod): _not_found(_first_image(pod))}
        if DRIVER_MISMATCH in self.names and _is_driver(pod):
            image = _driver_image(pod)
            return {image: _not_found(image)} if machine.kernel in image else {}
        return {}

    def driver_crash(self, pod: Object, machine: Hardware) -> str:
        """Termination message of a driver container that finds no headers for the node's kernel, or empty."""
        if DRIVER_MISMATCH not in self.names or machine.kernel in _driver_image(pod):
            return ""
        return f"Could not resolve Linux kernel version: no headers found for kernel {machine.kernel}"


def _pulled(pod: Object) -> bool:
    """The image that cannot be had is the container toolkit's."""
    return labels(pod).get("app") == "nvidia-container-toolkit-daemonset"


def _is_driver(pod: Object) -> bool:
    return labels(pod).get("app", "").startswith(OPERANDS[0].daemonset)


def _driver_image(pod: Object) -> str:
    return str(pod["spec"]["containers"][0].get("image", ""))


def _first_image(pod: Object) -> str:
    return str(pod["spec"]["containers"][0].get("image", ""))


def _not_found(image: str) -> str:
    """As containerd words it."""
    repository = image.rpartition(":")[0]
    return (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": '
        f'failed to resolve reference "{image}": {image}: not found'
        if repository
        else f"image {image} not found"
    )
