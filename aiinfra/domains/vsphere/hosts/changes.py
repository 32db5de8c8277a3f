"""The changes on hosts that `manage_hosts: true` allows, as values that are shown before anything is done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.hosts.matching import usable_cards
from aiinfra.domains.vsphere.reading.observed import Card, Host
from aiinfra.domains.vsphere.spec import GpuTemplateSpec

SHARED_DIRECT = "sharedDirect"


@dataclass(frozen=True, slots=True)
class SetGraphics:
    """A change of the host's default graphics type, and of its cards'."""

    host: str
    moref: str
    have: str
    cards: Sequence[str] = ()
    """PCI ids of cards with another type."""

    def __str__(self) -> str:
        cards = f" and of {', '.join(self.cards)}" if self.cards else ""
        change = f"{self.host}: graphics type of the host{cards} to {SHARED_DIRECT} (host: {self.have})"
        return f"{change}; takes effect after a restart of the host"


@dataclass(frozen=True, slots=True)
class SetPassthrough:
    """A change of passthrough and hardware label of one card."""

    host: str
    moref: str
    pci_id: str
    label: str
    """The new hardware label; empty: unchanged."""
    switch_on: bool

    def __str__(self) -> str:
        parts = ["passthrough on"] if self.switch_on else []
        parts += [f"hardware label {self.label}"] if self.label else []
        return f"{self.host} {self.pci_id}: {', '.join(parts)}"


HostChange = SetGraphics | SetPassthrough


def changes(hosts: Sequence[Host], spec: GpuTemplateSpec) -> list[HostChange]:
    """Return the changes that the spec needs; a card that a VM uses is not changed."""
    usable = [host for host in hosts if host.connected and spec.host in ("", host.name)]
    if spec.shares_cards:
        return [change for host in usable for change in _graphics(host, spec)]
    return [change for host in usable for card in usable_cards(host, spec) for change in _card(host, card, spec)]


def _graphics(host: Host, spec: GpuTemplateSpec) -> Iterator[HostChange]:
    have = host.default_graphics_type
    other = [card.pci_id for card in usable_cards(host, spec) if card.graphics_type not in (None, SHARED_DIRECT)]
    if have is not None and usable_cards(host, spec) and (have != SHARED_DIRECT or other):
        yield SetGraphics(host.name, host.moref, have, tuple(other))


def _card(host: Host, card: Card, spec: GpuTemplateSpec) -> Iterator[HostChange]:
    state = card.passthrough
    if state is None or not state.capable or card.vms or any(card.pci_id in vm.passthrough for vm in host.vms):
        return
    label = spec.label if spec.label != state.label else ""
    if not state.enabled or label:
        yield SetPassthrough(host.name, host.moref, card.pci_id, label, not state.enabled)
