"""Hosts that share their cards as vGPUs: graphics type, SR-IOV, the vGPU manager and its branch."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiinfra.facts import esxi
from aiinfra.stack import Finding
from aiinfra.vsphere.checks.cards import concerned
from aiinfra.vsphere.checks.findings import error, ok, unknown, warning
from aiinfra.vsphere.checks.wanted import WantedVm
from aiinfra.vsphere.readings import Card, Host, Vib

_DRIVER = re.compile(r"\d{3}\.\d+(\.\d+)?")
POLICIES = {"performance": "spread over the cards", "consolidation": "packed on few cards"}


def graphics_type(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    """SharedDirect on the host and on each card; aiinfra can set it with `manage_hosts`."""
    if not wanted.shares_cards:
        return
    needed, field = "sharedDirect", "default_graphics_type"
    if host.default_graphics_type is None:
        yield unknown("vsphere.graphics", host, host.name, field, needed)
        return
    other = [card for card in concerned(host, wanted) if card.graphics_type not in (None, needed)]
    if host.default_graphics_type != needed or other:
        shown = ", ".join(f"{card.pci_id} {card.graphics_type}" for card in other)
        read = f"host {host.default_graphics_type}" + (f", {shown}" if shown else "")
        told = warning if wanted.manage_hosts else error
        hint = _settable(wanted, "set SharedDirect and restart the host")
        yield told("vsphere.graphics", host.name, read, needed, hint)
    else:
        policy = POLICIES.get(host.assignment_policy or "", "policy not told")
        yield ok("vsphere.graphics", host.name, f"sharedDirect, vGPUs {policy}", needed)


def _settable(wanted: WantedVm, by_hand: str) -> str:
    return "`up` sets it, as manage_hosts allows" if wanted.manage_hosts else f"{by_hand}, or set manage_hosts: true"


def sriov(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    """vGPUs and MIG on Ampere and newer are virtual functions of the card."""
    if not wanted.shares_cards:
        return
    for card in concerned(host, wanted):
        yield _sriov(host, card)


def _sriov(host: Host, card: Card) -> Finding:
    about, needed = f"{host.name} {card.pci_id}", "SR-IOV on, for GPUs of Ampere and newer"
    state = card.passthrough
    if state is None or state.sriov_capable is None:
        hint = "look at SR-IOV in the server's BIOS: the API does not show it for this card"
        return unknown("vsphere.sriov", host, about, "sriov", needed, hint=hint)
    if not state.sriov_capable:
        return ok("vsphere.sriov", about, "the card has none", needed)
    if state.sriov_enabled and not state.sriov_active:
        return error("vsphere.sriov", about, "enabled and not active", needed, f"reboot {host.name}")
    if not state.sriov_enabled:
        return error("vsphere.sriov", about, "off", needed, "switch SR-IOV on in the server's BIOS and on the card")
    return ok("vsphere.sriov", about, "on", needed)


def driver(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    """NVIDIA's vGPU manager, and its branch against the guest's driver."""
    needed = "NVIDIA's vGPU manager"
    if not wanted.shares_cards:
        return
    if host.vibs is None:
        yield unknown(
            "vsphere.driver", host, host.name, "vibs", needed, hint="run on the host: esxcli software vib list"
        )
        return
    if not host.vibs:
        hint = "install NVIDIA's vGPU manager VIB of the guests' branch, and reboot"
        yield error("vsphere.driver", host.name, "no VIB of NVIDIA", needed, hint)
        return
    yield _branch(host, host.vibs[0], wanted)


def driver_of(vib: Vib) -> str:
    """The driver's version in a VIB's name or version; empty when it shows none."""
    found = _DRIVER.search(vib.version) or _DRIVER.search(vib.name)
    return found[0] if found else ""


def _branch(host: Host, vib: Vib, wanted: WantedVm) -> Finding:
    version = driver_of(vib)
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
    if not (wanted.shares_cards and gpu and need and host.vibs):
        return
    version = driver_of(host.vibs[0])
    needed = f"a vGPU manager of branch {need.driver} or newer for {gpu.name}"
    if version and int(version.partition(".")[0]) >= need.driver:
        yield ok("vsphere.model", host.name, version, needed, need.source)
    elif version:
        yield error("vsphere.model", host.name, version, needed, "update the vGPU manager", source=need.source)
    else:
        yield warning(
            "vsphere.model", host.name, host.vibs[0].version, needed, "see which driver it is", source=need.source
        )
