"""The commands that switch MIG mode in a host's shell, as no vSphere API does.

NVIDIA AI Enterprise user guide, "Configuring a GPU for MIG-backed vGPUs": `nvidia-smi -mig`, then a reset of the GPU or
a reboot of the host, with no VM on the card. `nvidia-smi -i` takes a PCI bus id as well as an index.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiinfra.domains.vsphere.checks.cards import concerned
from aiinfra.domains.vsphere.checks.mig import is_on
from aiinfra.domains.vsphere.checks.wanted import WantedVm
from aiinfra.domains.vsphere.reading.observed import Card, Host


@dataclass(frozen=True, slots=True)
class HostSteps:
    """What somebody does on one host, in order."""

    host: str
    power_off: Sequence[str]
    """Names of VMs with GPUs of the host, whichever: none of them moves by itself when the host is to be rebooted."""
    commands: Sequence[str]
    """For the host's shell."""

    def lines(self) -> Iterator[str]:
        """As a person reads them."""
        yield f"{self.host}: switch MIG mode in the host's shell"
        if self.power_off:
            yield f"  first power off, or move away: {', '.join(self.power_off)}"
        yield from (f"  {command}" for command in self.commands)


def steps(hosts: Sequence[Host], wanted: WantedVm) -> list[HostSteps]:
    """For every host with cards in the other mode than `wanted` needs; none as soon as a host has one in that mode.

    Hosts of a cluster may differ: one that serves is enough.
    """
    if any(is_on(host, card) == (wanted.mode == "mig") for host in hosts for card in _asked(host, wanted)):
        return []
    return [found for host in hosts if (found := steps_on(host, wanted))]


def steps_on(host: Host, wanted: WantedVm) -> HostSteps | None:
    """None when no card of the host is known to be in the other mode."""
    on = wanted.mode == "mig"
    cards = [card for card in _asked(host, wanted) if is_on(host, card) == (not on)]
    return _steps(host, cards, on=on) if cards else None


def _asked(host: Host, wanted: WantedVm) -> list[Card]:
    tells = host.connected and host.startable is not None and wanted.mode in ("vgpu", "mig")
    return concerned(host, wanted) if tells else []


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
    """As `nvidia-smi` writes it: a domain of eight digits, upper case."""
    domain, _, rest = pci_id.partition(":")
    return f"{int(domain, 16):08X}:{rest.upper()}"
