"""Good worlds for each variant, of which a test breaks one thing, and what is told of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aiinfra.domains.vsphere.checks import judge
from aiinfra.domains.vsphere.error_codes import CODES
from aiinfra.domains.vsphere.reading.observed import (
    Cluster,
    Datastore,
    Host,
    PassthroughState,
    Site,
    Source,
    VgpuProfile,
    Vib,
)
from aiinfra.domains.vsphere.spec import GpuTemplateSpec
from aiinfra.stack import Finding
from tests.unit.vsphere.conftest import card, host, site

A100 = "A100-PCIe-40GB"
ON = PassthroughState(True, False, False, sriov_capable=True, sriov_enabled=True, sriov_active=True)
PASSED = PassthroughState(True, True, True, "gpu-a100")
SOURCE = "/dc1/vm/templates/rhcos"
NO = "no permission System.Read"
Break = tuple[Callable[[], Site], GpuTemplateSpec, str]
"""A world in which one thing is broken, the spec of a template there, and the sentence."""


def changed(spec: GpuTemplateSpec, **changes: Any) -> GpuTemplateSpec:
    """The spec with some fields changed; `gpu` changes the devices, or replaces them when it names a mode."""
    fields = spec.dump()
    gpu = changes.pop("gpu", {})
    devices = gpu if "mode" in gpu else {**fields["gpu"], **gpu}
    return GpuTemplateSpec.load({**fields, **changes, "gpu": devices})


VGPU = GpuTemplateSpec.model_validate(
    {
        "place": {"datacenter": "dc1", "cluster": "gpu", "datastore": "ssd", "folder": "templates"},
        "source": SOURCE,
        "gpu": {"mode": "vgpu", "profile": "grid_a100-40c"},
        "cpus": 16,
        "cores_per_socket": 1,
        "memory_mib": 65536,
        "hardware_version": 19,
        "guest_driver": "580.65.06",
    }
)
MIG = changed(VGPU, gpu={"mode": "mig", "model": A100, "memory": "20GiB"})
PASSTHROUGH = changed(VGPU, gpu={"mode": "passthrough", "model": A100, "label": "gpu-a100"}, guest_driver="")
STATIC = changed(
    VGPU, gpu={"mode": "static_passthrough", "host": "esx-01", "pci_ids": ["0000:3b:00.0"]}, guest_driver=""
)
BY_MODEL = changed(VGPU, gpu={"mode": "vgpu", "model": A100, "memory": "40GiB"})
ON_H100 = changed(BY_MODEL, gpu={"model": "H100-PCIe-80GB"})
GROUP = changed(VGPU, gpu={"mode": "device_group", "group": "Nvidia:2@grid_a100-40c%NVLink"}, guest_driver="")


RHCOS = Source("vm-1", SOURCE, True, False, 15, "rhel9_64Guest", "efi", False, (16384,), 0)
SSD = Datastore("datastore-1", "/dc1/datastore/ssd", "ssd", 4 << 20, 2 << 20, True)


def shared(name: str = "esx-01", **changes: Any) -> Host:
    """A host that serves vGPUs well."""
    return host(name, **{"cards": (card("0000:3b:00.0", passthrough=ON),), **changes})


def passed(name: str = "esx-01", **changes: Any) -> Host:
    """A host whose card is passed through."""
    made = card("0000:3b:00.0", graphics_type=None, passthrough=PASSED)
    return host(name, **{"cards": (made,), "startable": (), **changes})


def one(**changes: Any) -> Host:
    """A host with one card, which serves vGPUs but for the changes."""
    return shared(cards=(card(**{"passthrough": ON, **changes}),))


def through(**changes: Any) -> Host:
    """A host with one card, which is passed through but for the changes of its state."""
    return passed(cards=(card(graphics_type=None, passthrough=replace(PASSED, **changes)),))


def silent(field: str) -> Host:
    """A host of which one field cannot be read."""
    return replace(shared(), unread={field: NO}, **{field: None})  # type: ignore[arg-type]


def managed(name: str = "NVD-AIE_ESXi_8.0.0_Driver", version: str = "580.65.05-1OEM.800.1.0.20613240") -> Host:
    """A host with one package of NVIDIA."""
    return shared(vibs=(Vib(name, version, "NVD"),))


def h100(*vibs: Vib, **changes: Any) -> Host:
    """A host with an H100."""
    profile = VgpuProfile("grid_h100-40c", 0x233110DE, 40, "timeSliced", "compute")
    own = {"cards": (card(passthrough=ON, device_id=0x2331),), "profiles": (profile,), "startable": (profile.name,)}
    return shared(**{**own, "vibs": vibs, **changes})


def cluster(*hosts: Host, **changes: Any) -> Cluster:
    options = {"VgpuMMAutomationTimeoutSecs": "-1"}
    made = Cluster("domain-c1", "/dc1/host/gpu", "gpu", True, "fullyAutomated", options, hosts)
    return replace(made, **changes)


def world(*hosts: Host, **changes: Any) -> Site:
    return site(**{"cluster": cluster(*(hosts or (shared(),))), **changes})


def told(world: Site, spec: GpuTemplateSpec) -> list[str]:
    """Every finding but `ok`: `level about: read | what is needed | way out | source`. None leaves a part out."""
    found = judge(world, spec)
    assert {finding.code for finding in found} <= set(CODES)
    assert all(finding.read and finding.needed and finding.source for finding in found)
    return [text(finding) for finding in found if finding.level != "ok"]


def text(finding: Finding) -> str:
    assert finding.hint or finding.level == "note", finding
    about = f"{finding.level} {finding.about}: {finding.read}"
    return f"{about} | {finding.needed} | {finding.hint} | {finding.source}"


ECC = (
    "note esx-01: no vSphere API tells the ECC mode | ECC as you want it | "
    "run on the host:\n  nvidia-smi --query-gpu=ecc.mode.current --format=csv | NVIDIA AI Enterprise user guide, ECC memory"
)
"""The one thing that is said of every good host: nobody can know it from here."""
PINNED = (
    "note cluster gpu: static passthrough: every VM runs on esx-01 and nowhere else | "
    "a VM that placement may put anywhere, for machine sets of more than one machine | "
    "use gpu.mode: passthrough, which finds a host with such cards free | "
    "vSphere Web Services API 8.0.3: VirtualPCIPassthroughDeviceBackingInfo"
)
UNCOUNTED = (
    "note cluster gpu: no vSphere API tells how many of a device group are free | room for one | "
    "start one VM of it to know: verify: power_on | "
    "NVIDIA/gpu-operator default-vgpu-devices-config; NVIDIA MIG user guide"
)
