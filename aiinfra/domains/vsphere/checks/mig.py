"""MIG mode of each card against the one that the template needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiinfra.domains.vsphere.checks.findings import USER_GUIDE, Topic
from aiinfra.domains.vsphere.hosts.matching import usable_cards
from aiinfra.domains.vsphere.hosts.mig_mode import mig_is_on, startable_sharing
from aiinfra.domains.vsphere.reading.observed import Card, Host
from aiinfra.domains.vsphere.spec import GpuTemplateSpec, VgpuDevices
from aiinfra.stack import Finding

MIG: Final = Topic("vsphere.mig", f"{USER_GUIDE}, Configuring a GPU for MIG-backed vGPUs")
ASK: Final = "run on the host:\n  nvidia-smi --query-gpu=pci.bus_id,mig.mode.current --format=csv"
_WORDS: Final = {True: "MIG on", False: "MIG off", None: "cannot be inferred: no profile of the card can be started"}


def mig(host: Host, spec: GpuTemplateSpec) -> Iterator[Finding]:
    """Yield the MIG mode of each card; the wrong mode is an error when no card of the host has the right one."""
    if not isinstance(spec.gpu, VgpuDevices):
        return
    on, cards = spec.gpu.mode == "mig", usable_cards(host, spec)
    needed = _WORDS[on]
    if cards and (host.startable is None or host.profiles is None):
        yield MIG.unread(host, "startable" if host.startable is None else "profiles", host.name, needed, ASK)
        return
    serves = any(mig_is_on(host, card) == on for card in cards)
    for card in cards:
        yield _card(host, card, needed, on=on, serves=serves)


def _card(host: Host, card: Card, needed: str, *, on: bool, serves: bool) -> Finding:
    about, state = f"{host.name} {card.pci_id}", mig_is_on(host, card)
    if state == on:
        return MIG.ok(about, _WORDS[state], needed)
    if state is not None:
        hint = "switch it in the host's shell" if on else "switch it in the host's shell, or set gpu.mode: mig"
        return (MIG.warning if serves else MIG.error)(about, _WORDS[state], needed, hint)
    if ("mig" if on else "timeSliced") in startable_sharing(host, card):
        read = "on for some of its cards: which, this vCenter does not tell"
        return MIG.warning(about, read, needed, ASK)
    return MIG.unknown(about, _WORDS[None], needed, ASK)
