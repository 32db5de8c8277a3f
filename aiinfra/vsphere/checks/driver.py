"""NVIDIA's vGPU manager on a host: is it there, for this ESXi, of a branch that the guests and the cards take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiinfra.facts import esxi, vgpu_manager
from aiinfra.stack import Finding
from aiinfra.vsphere.checks.findings import error, ok, unknown, warning
from aiinfra.vsphere.checks.wanted import WantedVm
from aiinfra.vsphere.readings import Host, Vib


def driver(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    """The vGPU manager, and its branch against the guest's driver."""
    needed = "NVIDIA's vGPU manager"
    if not wanted.shares_cards:
        return
    if host.vibs is None:
        yield unknown(
            "vsphere.driver", host, host.name, "vibs", needed, hint="run on the host: esxcli software vib list"
        )
    elif manager := manager_of(host.vibs):
        yield _branch(host, manager, wanted)
    else:
        beside = ", ".join(f"{vib.name} {vib.version}" for vib in host.vibs)
        read = f"none: of NVIDIA there is {beside}" if beside else "no VIB of NVIDIA"
        hint = "install NVIDIA's vGPU manager VIB of the guests' branch, and reboot"
        yield error("vsphere.driver", host.name, read, needed, hint)


def manager_of(vibs: Sequence[Vib]) -> Vib | None:
    return next((vib for vib in vibs if vgpu_manager.is_manager(vib.name)), None)


def _branch(host: Host, vib: Vib, wanted: WantedVm) -> Finding:
    version = vgpu_manager.driver_of(vib.name, vib.version)
    read = f"{vib.name} {version or vib.version}"
    if not wanted.guest_driver:
        return ok("vsphere.driver", host.name, f"{read}; the guest's driver is not told", "NVIDIA's vGPU manager")
    needed = f"a branch that takes guest driver {wanted.guest_driver}"
    works = esxi.fits(version, wanted.guest_driver) if version else None
    if works is None:
        hint = "compare them with NVIDIA's compatibility table"
        return Finding("unknown", host.name, f"{read}: a branch we do not know", needed, hint, esxi.BRANCH_SOURCE,
                       "vsphere.driver")  # fmt: skip
    if works:
        return ok("vsphere.driver", host.name, read, needed, esxi.BRANCH_SOURCE)
    hint = "install a guest driver of the host's branch, or a vGPU manager of the guest's"
    return error("vsphere.driver", host.name, read, needed, hint, source=esxi.BRANCH_SOURCE)


def model_support(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    """GPU models that need a newer driver than the host has."""
    gpu = wanted.gpu or (wanted.profile.gpu if wanted.profile else None)
    need = esxi.GPU_NEEDS.get(gpu.name) if gpu else None
    manager = manager_of(host.vibs or ())
    if not (wanted.shares_cards and gpu and need and manager):
        return
    version = vgpu_manager.driver_of(manager.name, manager.version)
    needed = f"a vGPU manager of branch {need.driver} or newer for {gpu.name}"
    if version and int(version.partition(".")[0]) >= need.driver:
        yield ok("vsphere.model", host.name, version, needed, need.source)
    elif version:
        yield error("vsphere.model", host.name, version, needed, "update the vGPU manager", source=need.source)
    else:
        yield warning("vsphere.model", host.name, manager.version, needed, "see which driver it is", source=need.source)
