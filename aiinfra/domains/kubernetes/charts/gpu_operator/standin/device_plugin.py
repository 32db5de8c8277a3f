"""What the device plugin and GPU Feature Discovery make of a node: allocatable GPUs and labels. Pure.

NVIDIA/k8s-device-plugin v0.20.0. A node offers GPUs while a device plugin's pod on it is ready, and with MPS while the
control daemon runs too (internal/plugin/server.go); the labels that GFD set stay when it is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import GPU_RESOURCE, IMAGES
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import mig, policy, sharing
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.mig import GFD_APP
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.sharing import Sharing
from aiinfra.domains.kubernetes.charts.nfd.standin.controller import NFD_MASTER
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.controllers import hardware
from aiinfra.domains.kubernetes.lab.controllers.controller import Moment
from aiinfra.domains.kubernetes.lab.controllers.effects import Effect, Patch
from aiinfra.domains.kubernetes.lab.controllers.faults import PLUGIN_APP, is_driver
from aiinfra.domains.kubernetes.lab.controllers.hardware import Hardware
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View, labels, name, pod_ready, uid
from aiinfra.facts.mig import MEMORY_SLICES, WHOLE, Geometry, profiles, resource_suffix

MPS_APP = "nvidia-device-plugin-mps-control-daemon"
SLICE_RESOURCE = "nvidia.com/mig-"
"""What resources and labels of MIG instances begin with under strategy `mixed`."""
VGPU_MANAGER = "580.65.05"
"""Of the hypervisor below a node with vGPUs: what a lab's ESXi hosts have."""
CUDA_RUNTIME = {"580": "13.0", "595": "13.2", "610": "13.3"}
"""CUDA version that a driver branch says it serves. Those of 595 and 610 are assumed: nothing decides on them."""


@dataclass(slots=True)
class DevicePlugins:
    """Remembers the configuration that each program read when it started, or when its node's label changed."""

    read: dict[tuple[str, str], Sharing] = field(default_factory=dict)
    """The configuration, by the uid of the pod and the value of the node's label."""

    def reconcile(self, view: View, moment: Moment) -> Iterator[Effect]:
        instance = policy.active_policy(view.of("ClusterPolicy"))
        for node in hardware.with_gpus(view.nodes):
            apps = {labels(pod).get("app", ""): pod for pod in view.pods_on(name(node)) if pod_ready(pod)}
            machine, plugin = hardware.of_node(node), apps.get(PLUGIN_APP)
            shared = self._running_config(view, node, plugin) if plugin else Sharing()
            strategy = str(policy.section(instance, "mig").get("strategy") or "none") if instance else "none"
            gpus = mig.geometries(node, machine)
            offers = plugin is not None and (shared.strategy != "mps" or MPS_APP in apps)
            yield from _set_resources(node, resources(machine, shared, strategy, gpus) if offers else {})
            if GFD_APP in apps and instance is not None:
                driver = machine.host_driver or _driver_version(view, node, instance)
                config = self._running_config(view, node, apps[GFD_APP])
                found = gfd_labels(machine, driver, config, strategy)
                cut = mig_labels(machine, config, strategy, gpus)
                yield from _set_labels(node, found | cut, NFD_MASTER)

    def _running_config(self, view: View, node: Object, pod: Object) -> Sharing:
        """Return the sharing that a running plugin or GFD applies.

        An edit of the ConfigMap alone reaches no running pod: its sidecar watches the node's label only.
        """
        key = (uid(pod), labels(node).get(sharing.NODE_LABEL, ""))
        if key not in self.read:
            self.read[key] = sharing.sharing_of_node(view, node, pod)
        return self.read[key]


def resources(
    machine: Hardware, shared: Sharing, strategy: str = "none", gpus: Sequence[Geometry] = ()
) -> dict[str, int]:
    """Return the count of each resource, by its name, as the plugin registers them with the kubelet."""
    try:
        whole, slices = mig.offered(strategy, gpus or (WHOLE,) * machine.gpus)
    except mig.InvalidMig:
        return {}
    if strategy == "single":
        whole, slices = whole + sum(slices.values()), {}
    counts = {GPU_RESOURCE + (".shared" if shared.rename and shared.replicas > 1 else ""): whole * shared.replicas}
    replicas = dict(shared.slices)
    for profile, count in slices.items():
        resource = f"{SLICE_RESOURCE}{resource_suffix(profile)}"
        times = replicas.get(resource, 1)
        counts[resource + (".shared" if shared.rename and times > 1 else "")] = count * times
    return {resource: count for resource, count in counts.items() if count}


def _set_resources(node: Object, counts: Mapping[str, int]) -> Iterator[Effect]:
    """Set the node's resources; one whose plugin is gone stays with a count of zero, as the kubelet leaves it."""
    status = node.get("status", {})
    before = {key: value for key, value in status.get("capacity", {}).items() if key.startswith("nvidia.com/")}
    desired = {**dict.fromkeys(before, "0"), **{key: str(count) for key, count in counts.items()}}
    offered = {key: status.get("allocatable", {}).get(key) for key in desired}
    if desired != before or offered != desired:
        body = {"status": {"capacity": desired, "allocatable": desired}}
        yield Patch(ObjectRef("v1", "Node", name(node)), body, "status")


def _set_labels(node: Object, desired: Mapping[str, str], manager: str) -> Iterator[Effect]:
    """Set labels, and drop those of slices that are no more."""
    stale = (key for key in labels(node) if key.startswith(SLICE_RESOURCE) and key not in desired)
    changed: dict[str, str | None] = dict.fromkeys(stale)
    changed |= {key: value for key, value in desired.items() if labels(node).get(key) != value}
    if changed:
        yield Patch(ObjectRef("v1", "Node", name(node)), {"metadata": {"labels": changed}}, manager=manager)


def _driver_version(view: View, node: Object, instance: Object) -> str:
    """Return the version of the driver that runs on a node, as its image's tag has it; else what the policy says."""
    images = (pod["spec"]["containers"][0].get("image", "") for pod in view.pods_on(name(node)) if is_driver(pod))
    tag = re.search(r":(?P<version>\d+[\d.]*)-", next(images, ""))
    if tag is not None:
        return tag["version"]
    return str(policy.section(instance, "driver").get("version") or IMAGES["driver"].version)


def gfd_labels(machine: Hardware, driver: str, shared: Sharing, strategy: str) -> dict[str, str]:
    """Return every label that GFD gives a node with whole GPUs."""
    if machine.gpu is None:
        return {}
    suffix = "-SHARED" if shared.replicas > 1 and not shared.rename else ""
    facts = {
        "gpu.count": str(machine.gpus),
        "gpu.product": machine.gpu.product_label + suffix,
        "gpu.memory": str(machine.gpu.memory_mib),
        "gpu.family": machine.gpu.family,
        "gpu.machine": machine.machine,
        "gpu.compute.major": str(machine.gpu.compute[0]),
        "gpu.compute.minor": str(machine.gpu.compute[1]),
        "gpu.replicas": str(shared.replicas),
        "gpu.sharing-strategy": shared.strategy,
        "gpu.mode": "compute",
        "mig.capable": str(machine.gpu.mig_capable).lower(),
        "mig.strategy": strategy,
        "mps.capable": str(shared.strategy == "mps").lower(),
        **_versions("cuda.driver-version", driver),
        **_versions("cuda.runtime-version", CUDA_RUNTIME.get(driver.split(".", maxsplit=1)[0], "13.0")),
    }
    return {f"nvidia.com/{key}": value for key, value in {**facts, **_vgpu_facts(machine)}.items()}


def mig_labels(machine: Hardware, shared: Sharing, strategy: str, gpus: Sequence[Geometry]) -> dict[str, str]:
    """Return the labels in which MIG takes the place of whole GPUs, or stands beside them.

    NVIDIA/k8s-device-plugin v0.20.0 internal/lm/mig-strategy.go and resource.go. Those of engines and multiprocessors
    are left out; the memory is the nominal share, of which a driver keeps some.
    """
    gpu = machine.gpu
    if gpu is None or not any(one.enabled for one in gpus):
        return {}
    found = {} if any(not one.enabled for one in gpus) else _labels_of("nvidia.com/gpu", replicas=0, strategy="none")
    try:
        _, slices = mig.offered(strategy, gpus)
    except mig.InvalidMig:
        invalid = {"product": f"{gpu.product_label}-MIG-INVALID", "count": "0", "memory": "0"}
        return {f"nvidia.com/gpu.{key}": value for key, value in invalid.items()} | _labels_of(
            "nvidia.com/gpu", replicas=0, strategy=""
        )
    replicas = dict(shared.slices)
    for profile, count in slices.items():
        suffix = resource_suffix(profile)
        resource = "nvidia.com/gpu" if strategy == "single" else f"{SLICE_RESOURCE}{suffix}"
        times = shared.replicas if strategy == "single" else replicas.get(resource, 1)
        ending = "-SHARED" if times > 1 and not shared.rename else ""
        share = profiles(gpu)[profile].instance
        found |= {
            f"{resource}.product": f"{gpu.product_label}-MIG-{suffix}{ending}",
            f"{resource}.count": str(count),
            f"{resource}.memory": str(gpu.memory_mib * share.memory // MEMORY_SLICES[gpu.mig_slices]),
            f"{resource}.slices.gi": str(share.compute),
            f"{resource}.slices.ci": str(share.compute),
            **_labels_of(resource, replicas=times, strategy=shared.strategy if times > 1 else "none"),
        }
    return found


def _labels_of(resource: str, *, replicas: int, strategy: str) -> dict[str, str]:
    return {f"{resource}.replicas": str(replicas), f"{resource}.sharing-strategy": strategy}


def _vgpu_facts(machine: Hardware) -> dict[str, str]:
    """What differs where the GPUs are vGPUs: NVIDIA/k8s-device-plugin v0.20.0 internal/lm/vgpu.go.

    The memory is that of the name, as `A100-20C` has 20 GiB.
    """
    size = re.search(r"-(\d+)[A-Z]*$", machine.vgpu)
    if size is None:
        return {}
    return {
        "gpu.product": f"NVIDIA-{machine.vgpu}",
        "gpu.memory": str(int(size[1]) * 1024),
        "mig.capable": "false",
        "vgpu.present": "true",
        "vgpu.host-driver-version": VGPU_MANAGER,
        "vgpu.host-driver-branch": f"r{VGPU_MANAGER.partition('.')[0]}",
    }


def _versions(prefix: str, full: str) -> dict[str, str]:
    parts = dict(zip(("major", "minor", "revision"), full.split("."), strict=False))
    return {f"{prefix}.full": full, **{f"{prefix}.{part}": value for part, value in parts.items()}}
