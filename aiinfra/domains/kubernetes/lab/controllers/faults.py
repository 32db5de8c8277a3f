"""The faults that are set, and what they do to the pods of one cluster. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import OPERANDS
from aiinfra.domains.kubernetes.lab.controllers.hardware import Hardware
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View, labels, name, namespace
from aiinfra.stack import MARK_STACK

DRIVER_MISMATCH, IMAGE_PULL = "driver-kernel-mismatch", "image-pull"
DRIVER_APP, TOOLKIT_APP = "nvidia-driver-daemonset", "nvidia-container-toolkit-daemonset"
PLUGIN_APP = "nvidia-device-plugin-daemonset"


@dataclass(frozen=True, slots=True)
class Faults:
    """What is broken, by place: all of the cluster, or one stack in it."""

    names: frozenset[str] = frozenset()
    at_stacks: frozenset[tuple[str, str]] = frozenset()
    """Pairs of a fault and a stack."""

    def located(self, view: View) -> Broken:
        """The same with stacks as the namespaces that carry their mark."""
        places: dict[str, frozenset[str]] = {}
        for fault, stack in self.at_stacks:
            marked = frozenset(name(found) for found in view.select("Namespace", {MARK_STACK: stack}))
            places[fault] = places.get(fault, frozenset()) | marked
        return Broken(self.names, places)


@dataclass(frozen=True, slots=True)
class Broken:
    """The faults of one cluster, as its pods are exposed to them."""

    names: frozenset[str] = frozenset()
    namespaces: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def here(self, fault: str) -> bool:
        """Whether the fault is set anywhere in the cluster."""
        return fault in self.names or bool(self.namespaces.get(fault))

    def at(self, fault: str, pod: Object) -> bool:
        return fault in self.names or self.only_at(fault, pod)

    def only_at(self, fault: str, pod: Object) -> bool:
        """Whether it is set at the stack that this pod belongs to."""
        return namespace(pod) in self.namespaces.get(fault, ())

    def unpullable(self, pod: Object, machine: Hardware) -> Mapping[str, str]:
        """Image to the registry's refusal, for the images of this pod that are not on its node yet."""
        image = _image(pod)
        missing = self._chart_image(pod) or self._toolkit(pod) or self._driver(pod, machine)
        return {image: _not_found(image)} if missing else {}

    def _chart_image(self, pod: Object) -> bool:
        """At a stack, what cannot be had is the image of what its chart deploys, not of the operands."""
        return self.only_at(IMAGE_PULL, pod) and not _operand(pod)

    def _toolkit(self, pod: Object) -> bool:
        """In a whole cluster it is one operand's image."""
        return IMAGE_PULL in self.names and labels(pod).get("app") == TOOLKIT_APP

    def _driver(self, pod: Object, machine: Hardware) -> bool:
        """Precompiled drivers have an image for each kernel, and this kernel's is missing."""
        return self.at(DRIVER_MISMATCH, pod) and _is_driver(pod) and machine.kernel in _image(pod)

    def driver_crash(self, pod: Object, machine: Hardware) -> str:
        """Last words of a driver container that finds no headers for the node's kernel, or empty."""
        if not (self.at(DRIVER_MISMATCH, pod) and _is_driver(pod)) or machine.kernel in _image(pod):
            return ""
        return (
            f"Could not resolve Linux kernel version: no headers for kernel {machine.kernel} in the package "
            "repositories of the driver image"
        )


def _operand(pod: Object) -> bool:
    return any(labels(pod).get("app", "").startswith(operand.daemonset) for operand in OPERANDS)


def _is_driver(pod: Object) -> bool:
    return labels(pod).get("app", "").startswith(DRIVER_APP)


def _image(pod: Object) -> str:
    return str(pod["spec"]["containers"][0].get("image", ""))


def _not_found(image: str) -> str:
    """As containerd words it."""
    return (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": '
        f'failed to resolve reference "{image}": {image}: not found'
    )
