"""NVIDIA's vGPU manager on a host: whether it is installed and fits the ESXi, the guests' driver and the cards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from aiinfra.domains.vsphere.checks.findings import API, Topic
from aiinfra.domains.vsphere.facts import esxi, vgpu_manager
from aiinfra.domains.vsphere.reading.observed import Host, Vib
from aiinfra.domains.vsphere.spec import GpuTemplateSpec, VgpuDevices
from aiinfra.facts.gpus import PCI_VENDOR, Gpu
from aiinfra.stack import Finding

DRIVER: Final = Topic("vsphere.driver", vgpu_manager.SOURCE)
MODEL: Final = Topic("vsphere.model", f"{API}: VirtualMachineVgpuProfileInfo")
SEE: Final = "run on the host:\n  esxcli software vib list"


def driver(host: Host, spec: GpuTemplateSpec) -> Iterator[Finding]:
    """Yield findings about the vGPU manager: the ESXi it is made for, and its branch against the guest's driver."""
    needed = "NVIDIA's vGPU manager"
    if not spec.shares_cards:
        return
    if host.vibs is None:
        yield DRIVER.unread(host, "vibs", host.name, needed, SEE)
    elif manager := manager_of(host.vibs):
        yield from _made_for(host, manager)
        yield _branch(host, manager, spec)
    else:
        beside = ", ".join(f"{vib.name} {vib.version}" for vib in host.vibs)
        read = f"none: of NVIDIA there is {beside}" if beside else "no VIB of NVIDIA"
        hint = "install NVIDIA's vGPU manager VIB of the guests' branch, and reboot"
        yield DRIVER.error(host.name, read, needed, hint)


def manager_of(vibs: Sequence[Vib]) -> Vib | None:
    return next((vib for vib in vibs if vgpu_manager.is_manager(vib.name)), None)


def _made_for(host: Host, vib: Vib) -> Iterator[Finding]:
    """Yield a finding when the package is for another release family of ESXi, as its name and version show."""
    release = vgpu_manager.made_for(vib.name, vib.version)
    if release is None or host.version is None or host.version.startswith(f"{release[0]}."):
        return
    read = f"{vib.name} is made for ESXi {release[0]}.{release[1]}, the host has {host.version}"
    hint = "see whether NVIDIA supports it there, or install the package of the host's release"
    yield DRIVER.unknown(host.name, read, "a vGPU manager for the host's ESXi", hint)


def _branch(host: Host, vib: Vib, spec: GpuTemplateSpec) -> Finding:
    version = vgpu_manager.driver_of(vib.name, vib.version)
    read = f"{vib.name} {version or vib.version}"
    if not spec.guest_driver:
        return DRIVER.ok(host.name, f"{read}; the guest's driver is not told", "NVIDIA's vGPU manager")
    needed = f"a branch that takes guest driver {spec.guest_driver}"
    works = esxi.fits(version, spec.guest_driver) if version else None
    if works is None:
        hint = "compare them with NVIDIA's compatibility table"
        return DRIVER.unknown(host.name, f"{read}: {_unknown(version, spec.guest_driver)}", needed, hint)
    if works:
        return DRIVER.ok(host.name, read, needed)
    hint = "install a guest driver of the host's branch, or a vGPU manager of the guest's"
    return DRIVER.error(host.name, read, needed, hint)


def _unknown(manager: str, guest: str) -> str:
    return "a branch we do not know" if esxi.branch(manager) is None else f"{guest} is of a branch we do not know"


def model_support(host: Host, spec: GpuTemplateSpec) -> Iterator[Finding]:
    """Yield whether the vGPU manager supports the GPU model: by its branch, otherwise by the profiles it lists."""
    gpu = spec.gpu.gpu if isinstance(spec.gpu, VgpuDevices) else None
    manager = manager_of(host.vibs or ())
    if gpu is None or manager is None or not any(_has(host, gpu)):
        return
    version, need = vgpu_manager.driver_of(manager.name, manager.version), esxi.GPU_NEEDS.get(gpu.name)
    shown = version or manager.version
    if need is None:
        yield _by_profiles(host, gpu, shown)
        return
    topic, needed = MODEL.by(need.source), f"a vGPU manager of branch {need.driver} or newer for {gpu.name}"
    if not version:
        yield topic.unknown(host.name, f"{shown} shows no driver", needed, SEE)
    elif esxi.version(version) < esxi.version(need.driver):
        yield topic.error(host.name, version, needed, "update the vGPU manager")
    else:
        yield topic.ok(host.name, version, needed)


def _by_profiles(host: Host, gpu: Gpu, shown: str) -> Finding:
    needed = f"a vGPU manager that knows {gpu.name}"
    if host.profiles is None:
        return MODEL.unread(host, "profiles", host.name, needed, "see its vGPU profiles in vCenter")
    listed = sum(profile.device_vendor_id == _id(gpu) for profile in host.profiles)
    if listed:
        return MODEL.ok(host.name, f"{shown} lists {listed} profiles of it", needed)
    hint = "see in NVIDIA's release notes whether this branch supports the GPU"
    return MODEL.unknown(host.name, f"{shown} lists no profile of it", needed, hint)


def _has(host: Host, gpu: Gpu) -> Iterator[bool]:
    return (card.device_vendor_id == _id(gpu) for card in host.cards)


def _id(gpu: Gpu) -> int:
    return int(gpu.pci_device, 16) << 16 | int(PCI_VENDOR, 16)
