"""What must hold of the inputs of `vsphere_gpu_template` before any vCenter is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from aiinfra.domains.vsphere.facts.vgpu import ProfileName, family_of
from aiinfra.domains.vsphere.inventory_paths import NAME_LIMIT, absolute, below, pool_below
from aiinfra.domains.vsphere.marks import template_name
from aiinfra.domains.vsphere.needs import VCenterNeed
from aiinfra.domains.vsphere.spec import (
    GpuDevices,
    GroupDevices,
    PassthroughDevices,
    Placement,
    StaticDevices,
    VgpuDevices,
)
from aiinfra.facts.gpus import GPUS
from aiinfra.model.own_gpu import OwnGpu
from aiinfra.stack import Finding, StackName, Surroundings, Violation
from stacks.vsphere_gpu_template.places import contradicted, places
from stacks.vsphere_gpu_template.spec import GpuTemplateInputs

RESERVED = "aiinfra.dev/"
WITHOUT_CUDA = {"A": "for virtual applications", "B": "for virtual PCs"}
"""Series of vGPU types: NVIDIA Virtual GPU Software User Guide, and NVIDIA CUDA Toolkit support on vGPUs."""
MMIO_SIZE, MMIO_USE = "pcipassthru.64bitmmiosizegb", "pcipassthru.use64bitmmio"
"""Keys of a VM's configuration in lower case, as vCenter compares them."""
ASSUMED_MIB = 16 * 1024
"""Memory that a rehearsal assumes of a card of which the file says the PCI device alone."""
DEFAULT_MODEL = "A100-PCIe-40GB"
"""The model that a rehearsal assumes for cards whose model the file does not name."""
_LIKE: Mapping[str, Literal["vgpu", "passthrough"]] = {"static_passthrough": "passthrough", "device_group": "vgpu"}


class Checks:
    def questions(self, inputs: GpuTemplateInputs) -> Mapping[str, Any]:
        """Return the sites to read, one for each failure domain."""
        from stacks.vsphere_gpu_template.preflight import site_questions

        return {"vsphere": site_questions(inputs)}

    def preflight(self, inputs: GpuTemplateInputs, facts: Mapping[str, Any]) -> Iterator[Finding]:
        """Return the findings for the sites, `facts["vsphere"]`, which are in the order of the questions."""
        from stacks.vsphere_gpu_template.preflight import findings

        return findings(inputs, facts.get("vsphere") or ())

    def preflight_around(
        self, name: StackName, inputs: GpuTemplateInputs, facts: Mapping[str, Any], around: Surroundings
    ) -> Iterator[Finding]:
        """Return the same findings, judged beside what other templates need of the same hosts."""
        from stacks.vsphere_gpu_template.preflight import findings

        others = {other: its for other, (_, its) in around.stacks.items() if other != name}
        return findings(inputs, facts.get("vsphere") or (), others)

    def lab_needs(self, inputs: GpuTemplateInputs, around: Surroundings) -> Iterator[VCenterNeed]:
        for place in inputs.places().values():
            yield _need(inputs, place)

    def rules(self, inputs: GpuTemplateInputs) -> Iterator[Violation]:
        yield from places(inputs)
        if isinstance(inputs.gpu, VgpuDevices):
            yield from _vgpus(inputs.gpu)
        if isinstance(inputs.gpu, StaticDevices) and len(set(inputs.gpu.pci_ids)) < len(inputs.gpu.pci_ids):
            yield Violation(("gpu", "pci_ids"), "names a card twice", "name each card once")
        if isinstance(inputs.gpu, PassthroughDevices):
            yield from _passed_through(inputs.gpu)
        if inputs.cpus % inputs.cores_per_socket:
            message = f"{inputs.cpus} CPUs do not fill sockets of {inputs.cores_per_socket} cores"
            yield Violation(("cores_per_socket",), message, "let it divide cpus")
        for key in inputs.extra_config:
            if key.startswith(RESERVED):
                yield Violation(("extra_config", key), "is a key of aiinfra's own marks", "choose another name")
        yield from _mmio(inputs)

    def rules_around(self, name: StackName, inputs: GpuTemplateInputs, around: Surroundings) -> Iterator[Violation]:
        template = template_name(around.environment, name)
        if len(template) > NAME_LIMIT:
            message = (
                f"its template's name {template} would have {len(template)} characters, vCenter takes {NAME_LIMIT}"
            )
            yield Violation((), message, "use a shorter name for the environment or the stack")
        yield from contradicted(name, inputs, around)


def _need(inputs: GpuTemplateInputs, place: Placement) -> VCenterNeed:
    gpu = inputs.gpu
    group = gpu.group if isinstance(gpu, GroupDevices) else ""
    in_group = group.rpartition("@")[2].partition("%")[0]
    profile = family_of(getattr(gpu, "profile", "") or in_group)
    model: str | OwnGpu = getattr(gpu, "model", "") or (profile.gpus[0] if profile else DEFAULT_MODEL)
    if isinstance(gpu, PassthroughDevices) and not gpu.model:
        model = OwnGpu(name=gpu.gpu.name, pci_device=gpu.pci_device, memory=gpu.memory or ASSUMED_MIB)
    source = inputs.source if isinstance(inputs.source, str) else ""
    static = gpu if isinstance(gpu, StaticDevices) else None
    return VCenterNeed(
        datacenter=place.datacenter.strip("/"),
        cluster=below(place.cluster, place.datacenter, "host"),
        datastore=below(place.datastore, place.datacenter, "datastore"),
        folder=below(place.folder, place.datacenter, "vm"),
        source=below(source, place.datacenter, "vm"),
        gpu_model=model,
        mode=gpu.mode if gpu.mode in ("vgpu", "mig", "passthrough") else _LIKE[gpu.mode],
        gpus=_devices_of(group) if group else getattr(gpu, "count", 2),
        label=getattr(gpu, "label", ""),
        pool=pool_below(place.resource_pool, absolute(place.cluster, place.datacenter, "host")),
        host=static.host if static else "",
        pci_ids=static.pci_ids if static else (),
        group=group,
        profile=in_group,
    )


def _devices_of(group: str) -> int:
    """How many devices a group has, as its name says: `Nvidia:2@grid_a100-40c%NVLink`; at most as a host has cards."""
    found = re.match(r"[^:@]*:(\d+)@", group)
    return min(max(int(found[1]), 1), 16) if found else 2


def _mmio(inputs: GpuTemplateInputs) -> Iterator[Violation]:
    """Yield what says the MMIO space twice, and a size that cannot hold the memory of the GPUs."""
    for key, value in inputs.extra_config.items():
        if key.lower() in (MMIO_SIZE, MMIO_USE) and inputs.mmio:
            few = _too_few(inputs, int(value)) if key.lower() == MMIO_SIZE and value.isdecimal() else ""
            also = f"; {few}" if few else ""
            hint = "take it out: mmio computes the size, or takes a number"
            yield Violation(("extra_config", key), f"is what mmio sets{also}", hint)
        elif key.lower() == MMIO_SIZE and value.isdecimal() and (few := _too_few(inputs, int(value))):
            yield Violation(("extra_config", key), few, "set mmio: auto, and take it out")
    if isinstance(inputs.mmio, int) and inputs.mmio and (few := _too_few(inputs, inputs.mmio)):
        yield Violation(("mmio",), few, "set mmio: auto")


def _too_few(inputs: GpuTemplateInputs, size_gb: int) -> str:
    """Return why a size of MMIO space in GB is too small; empty when it is not, or when the GPUs are not known.

    A card maps its memory as a whole, rounded up to a power of two.
    """
    memory, count = _gib_of_each(inputs.gpu), getattr(inputs.gpu, "count", 1)
    needed = count * (1 << (memory - 1).bit_length()) if memory else 0
    return f"{size_gb} GB are too few for {count} x {memory} GB of GPU memory" if size_gb < needed else ""


def _gib_of_each(gpu: GpuDevices) -> int:
    """Return the memory of each device in GiB, at least; 0 when it is not known."""
    match gpu:
        case VgpuDevices(profile=profile) if profile:
            name = ProfileName.of(profile)
            return name.type.size_gb if name else 0
        case VgpuDevices(memory=memory):
            return (memory or 0) // 1024
        case PassthroughDevices():
            return gpu.gpu.memory_mib // 1024
    return 0


def _passed_through(gpu: PassthroughDevices) -> Iterator[Violation]:
    if gpu.model and gpu.pci_device:
        yield Violation(("gpu",), "model and pci_device both say which GPU it is", "write one of them")
    if not (gpu.model or gpu.pci_device):
        hint = "name the GPU model, such as A100-PCIe-40GB, or its pci_device"
        yield Violation(("gpu", "model"), "is empty", hint)
    if gpu.model and gpu.memory is not None:
        yield Violation(("gpu", "memory"), f"is known of {gpu.model}", "drop it")


def _vgpus(gpu: VgpuDevices) -> Iterator[Violation]:
    if bool(gpu.profile) == bool(gpu.model):
        problem = "profile and model both say which vGPU it is" if gpu.profile else "which vGPU is not said"
        yield Violation(("gpu",), problem, "write profile: NAME, or model: MODEL with memory: SIZE")
        return
    if gpu.model and gpu.memory is None:
        yield Violation(("gpu", "memory"), "is required beside model", "say how much each device needs: memory: 20GiB")
    if gpu.profile:
        yield from _profile(gpu)
    elif gpu.mode == "mig" and not GPUS[gpu.model].mig_capable:
        yield Violation(("gpu", "mode"), f"{gpu.model} has no MIG", "set gpu.mode: vgpu")


def _profile(gpu: VgpuDevices) -> Iterator[Violation]:
    """Yield whether the mode fits the name of the profile; the preflight reads whether a host offers it."""
    name, family = ProfileName.of(gpu.profile), family_of(gpu.profile)
    if name is None or family is None:
        return
    if name.type.series[:1] in WITHOUT_CUDA:
        message = f"{gpu.profile} is of series {name.type.series}, {WITHOUT_CUDA[name.type.series[:1]]}: it has no CUDA"
        yield Violation(("gpu", "profile"), message, "name one of series C or Q")
    if name.type.slices and gpu.mode == "vgpu":
        yield Violation(("gpu", "mode"), f"{gpu.profile} is MIG-backed", "set gpu.mode: mig")
    if not name.type.slices and gpu.mode == "mig":
        yield Violation(("gpu", "mode"), f"{gpu.profile} is time-sliced", "set gpu.mode: vgpu")
