"""Hosts that share their cards as vGPUs: graphics type, SR-IOV."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.stack import Finding
from aiinfra.vsphere.checks.cards import concerned
from aiinfra.vsphere.checks.findings import error, ok, unknown, warning
from aiinfra.vsphere.checks.wanted import WantedVm
from aiinfra.vsphere.readings import Card, Host

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
