"""The faults that are set, and what they do to the pods of one cluster. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import COMPONENT, DRIVER_COMPONENT, OPERANDS
from aiinfra.domains.kubernetes.lab.controllers.hardware import Hardware
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View, labels, name, namespace
from aiinfra.stack import MARK_STACK

DRIVER_MISMATCH, IMAGE_PULL = "driver-kernel-mismatch", "image-pull"
REAL_PACE = "real-pace"
DRIVER_APP, TOOLKIT_APP = "nvidia-driver-daemonset", "nvidia-container-toolkit-daemonset"
PLUGIN_APP = "nvidia-device-plugin-daemonset"


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults that are set in one cluster, or at stacks that may work in it."""

    names: frozenset[str] = frozenset()
    at_stacks: frozenset[tuple[str, str]] = frozenset()
    """Pairs of a fault and a stack."""

    def by_namespace(self, view: View) -> PodFaults:
        """Return the faults with each stack replaced by the namespaces that carry its mark."""
        places: dict[str, frozenset[str]] = {}
        for fault, stack in self.at_stacks:
            marked = frozenset(name(found) for found in view.select("Namespace", {MARK_STACK: stack}))
            places[fault] = places.get(fault, frozenset()) | marked
        return PodFaults(self.names, places)


@dataclass(frozen=True, slots=True)
class PodFaults:
    """The faults of one cluster, as its pods see them: everywhere, or in some namespaces."""

    names: frozenset[str] = frozenset()
    namespaces: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def is_set(self, fault: str) -> bool:
        """Whether the fault is set anywhere in the cluster."""
        return fault in self.names or bool(self.namespaces.get(fault))

    def strikes(self, fault: str, pod: Object) -> bool:
        """Whether the fault is set in the whole cluster or at the stack that this pod belongs to."""
        return fault in self.names or self.is_set_at_stack_of(fault, pod)

    def is_set_at_stack_of(self, fault: str, pod: Object) -> bool:
        """Whether the fault is set at the stack that this pod belongs to."""
        return namespace(pod) in self.namespaces.get(fault, ())

    def unpullable(self, pod: Object, machine: Hardware) -> Mapping[str, str]:
        """Return the registry's refusal for each image of this pod that cannot be pulled."""
        image = _image(pod)
        missing = (
            self._chart_image_missing(pod)
            or self._toolkit_image_missing(pod)
            or self._driver_image_missing(pod, machine)
        )
        return {image: pull_error(image)} if missing else {}

    def _chart_image_missing(self, pod: Object) -> bool:
        """Whether the chart's own image is missing: at a stack, the images of operands can be pulled."""
        return self.is_set_at_stack_of(IMAGE_PULL, pod) and not is_operand(pod)

    def _toolkit_image_missing(self, pod: Object) -> bool:
        """Whether the toolkit's image is missing: the one image that the fault strikes in a whole cluster."""
        return IMAGE_PULL in self.names and labels(pod).get("app") == TOOLKIT_APP

    def _driver_image_missing(self, pod: Object, machine: Hardware) -> bool:
        """Whether the precompiled driver image for the node's kernel is missing."""
        return self.strikes(DRIVER_MISMATCH, pod) and is_driver(pod) and machine.kernel in _image(pod)

    def driver_crash(self, pod: Object, machine: Hardware) -> str:
        """Return the error of a driver container that finds no headers for the kernel; empty for any other."""
        if not (self.strikes(DRIVER_MISMATCH, pod) and is_driver(pod)) or machine.kernel in _image(pod):
            return ""
        return (
            f"Could not resolve Linux kernel version: no headers for kernel {machine.kernel} in the package "
            "repositories of the driver image"
        )


def is_operand(pod: Object) -> bool:
    """Whether the GPU Operator deploys the pod."""
    return is_driver(pod) or any(labels(pod).get("app", "").startswith(operand.daemonset) for operand in OPERANDS)


def is_driver(pod: Object) -> bool:
    """Whether it is a driver's pod, of a ClusterPolicy or of an NVIDIADriver."""
    has = labels(pod)
    return has.get(COMPONENT) == DRIVER_COMPONENT or has.get("app", "").startswith(DRIVER_APP)


def _image(pod: Object) -> str:
    return str(pod["spec"]["containers"][0].get("image", ""))


def pull_error(image: str) -> str:
    """Return the error for a missing image in the words of containerd."""
    return (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": '
        f'failed to resolve reference "{image}": {image}: not found'
    )
