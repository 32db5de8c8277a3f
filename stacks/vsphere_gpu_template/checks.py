"""What must hold of the inputs of `vsphere_gpu_template` before any vCenter is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from aiinfra.domains.vsphere.facts.vgpu import ProfileName, family_of
from aiinfra.domains.vsphere.marks import NAME_LIMIT, template_name
from aiinfra.domains.vsphere.needs import VCenterNeed
from aiinfra.domains.vsphere.spec import PassthroughDevices, Placement, StaticDevices, VgpuDevices
from aiinfra.facts.gpus import GPUS
from aiinfra.stack import Finding, StackName, Surroundings, Violation
from stacks.vsphere_gpu_template.spec import GpuTemplateInputs

RESERVED = "aiinfra.dev/"
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
        yield from _places(inputs)
        if isinstance(inputs.gpu, VgpuDevices):
            yield from _vgpus(inputs.gpu)
        if isinstance(inputs.gpu, StaticDevices) and len(set(inputs.gpu.pci_ids)) < len(inputs.gpu.pci_ids):
            yield Violation(("gpu", "pci_ids"), "names a card twice", "name each card once")
        if isinstance(inputs.gpu, PassthroughDevices) and not inputs.gpu.model:
            yield Violation(("gpu", "model"), "is empty", "name the GPU model, such as A100-PCIe-40GB")
        if inputs.cpus % inputs.cores_per_socket:
            message = f"{inputs.cpus} CPUs do not fill sockets of {inputs.cores_per_socket} cores"
            yield Violation(("cores_per_socket",), message, "let it divide cpus")
        for key in inputs.extra_config:
            if key.startswith(RESERVED):
                yield Violation(("extra_config", key), "is a key of aiinfra's own marks", "choose another name")

    def rules_around(self, name: StackName, inputs: GpuTemplateInputs, around: Surroundings) -> Iterator[Violation]:
        template = template_name(around.environment, name)
        if len(template) > NAME_LIMIT:
            message = (
                f"its template's name {template} would have {len(template)} characters, vCenter takes {NAME_LIMIT}"
            )
            yield Violation((), message, "use a shorter name for the environment or the stack")


def _need(inputs: GpuTemplateInputs, place: Placement) -> VCenterNeed:
    gpu = inputs.gpu
    profile = family_of(getattr(gpu, "profile", "") or getattr(gpu, "group", "").rpartition("@")[2].partition("%")[0])
    model = getattr(gpu, "model", "") or (profile.gpus[0] if profile else DEFAULT_MODEL)
    source = inputs.source if isinstance(inputs.source, str) else ""
    return VCenterNeed(
        datacenter=place.datacenter,
        cluster=place.cluster,
        datastore=place.datastore,
        folder=place.folder,
        source=source.removeprefix(f"/{place.datacenter}/vm/"),
        gpu_model=model,
        mode=gpu.mode if gpu.mode in ("vgpu", "mig", "passthrough") else _LIKE[gpu.mode],
        gpus=getattr(gpu, "count", 2),
        label=getattr(gpu, "label", ""),
    )


def _places(inputs: GpuTemplateInputs) -> Iterator[Violation]:
    if inputs.place is None and not inputs.failure_domains:
        yield Violation(("place",), "is required", "write datacenter, cluster and datastore, or failure_domains")
    if inputs.place is not None and inputs.failure_domains:
        yield Violation(("place",), "cannot stand beside failure_domains", "give each failure domain its place")
    places = [("place", inputs.place)] if inputs.place else []
    for at, place in [*places, *((f"failure_domains.{name}", one) for name, one in inputs.failure_domains.items())]:
        for field in ("datacenter", "cluster", "datastore"):
            if not getattr(place, field):
                yield Violation((*at.split("."), field), "is empty", "name it as vCenter shows it")


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
    if name.type.slices and gpu.mode == "vgpu":
        yield Violation(("gpu", "mode"), f"{gpu.profile} is MIG-backed", "set gpu.mode: mig")
    if not name.type.slices and gpu.mode == "mig":
        yield Violation(("gpu", "mode"), f"{gpu.profile} is time-sliced", "set gpu.mode: vgpu")
