"""The commands that switch MIG mode in a host's shell, as no vSphere API does.

NVIDIA AI Enterprise user guide, "Configuring a GPU for MIG-backed vGPUs": `nvidia-smi -mig`, then a reset of the GPU or
a reboot of the host, with no VM on the card. `nvidia-smi -i` takes a PCI bus id as well as an index.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.hosts.matching import usable_cards
from aiinfra.domains.vsphere.hosts.mig_mode import mig_is_on
from aiinfra.domains.vsphere.reading.observed import Card, Host
from aiinfra.domains.vsphere.spec import GpuTemplateSpec, VgpuDevices


@dataclass(frozen=True, slots=True)
class HostSteps:
    """The steps that a person takes on one host, in order."""

    host: str
    power_off: Sequence[str]
    """Names of VMs with GPUs of the host, whichever: none of them moves by itself when the host is to be rebooted."""
    commands: Sequence[str]
    """Commands for the host's shell."""

    def lines(self) -> Iterator[str]:
        """Yield the steps as lines of text."""
        yield f"{self.host}: switch MIG mode in the host's shell"
        if self.power_off:
            yield f"  first power off, or move away: {', '.join(self.power_off)}"
        yield from (f"  {command}" for command in self.commands)


def steps(hosts: Sequence[Host], spec: GpuTemplateSpec) -> list[HostSteps]:
    """Return steps for each host with cards in the wrong mode; none when a host has a card in the right one.

    Hosts of a cluster may differ: one that serves is enough.
    """
    on = spec.gpu.mode == "mig"
    if any(mig_is_on(host, card) == on for host in hosts for card in _cards_with_known_offers(host, spec)):
        return []
    return [found for host in hosts if (found := steps_on(host, spec))]


def steps_on(host: Host, spec: GpuTemplateSpec, among: Sequence[Card] | None = None) -> HostSteps | None:
    """Return the steps on one host, for cards in `among` if given; None when none is known to be in the wrong mode."""
    cards = [card for card in wrong_cards(host, spec) if among is None or card in among]
    return _steps(host, cards, on=spec.gpu.mode == "mig") if cards else None


def wrong_cards(host: Host, spec: GpuTemplateSpec) -> list[Card]:
    """Return the cards that are known to be in the wrong MIG mode for the template."""
    on = spec.gpu.mode == "mig"
    return [card for card in _cards_with_known_offers(host, spec) if mig_is_on(host, card) == (not on)]


def _cards_with_known_offers(host: Host, spec: GpuTemplateSpec) -> list[Card]:
    known = host.connected and host.startable is not None and isinstance(spec.gpu, VgpuDevices)
    return usable_cards(host, spec) if known else []


def _steps(host: Host, cards: Sequence[Card], *, on: bool) -> HostSteps:
    ids = [bus_id(card.pci_id) for card in cards]
    mode = "Enabled" if on else "Disabled"
    commands = (
        "esxcli system maintenanceMode set --enable true",
        *(f"nvidia-smi -i {id} -mig {int(on)}" for id in ids),
        "reboot",
        *(f"nvidia-smi -i {id} --query-gpu=mig.mode.current --format=csv,noheader   # must say {mode}" for id in ids),
        "esxcli system maintenanceMode set --enable false",
    )
    users = {vm for card in host.cards for vm in card.vms} | {vm.name for vm in host.vms}
    return HostSteps(host.name, sorted(users), commands)


def bus_id(pci_id: str) -> str:
    """Return a PCI id as `nvidia-smi` writes it: a domain of eight digits, upper case."""
    domain, _, rest = pci_id.partition(":")
    return f"{int(domain, 16):08X}:{rest.upper()}"
