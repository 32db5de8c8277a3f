"""The commands that switch MIG mode in a host's shell, as no vSphere API does.

NVIDIA AI Enterprise user guide, "Configuring a GPU for MIG-backed vGPUs": `nvidia-smi -mig`, then a reset of the GPU or
a reboot of the host, with no VM on the card. `nvidia-smi -i` takes a PCI bus id as well as an index.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiinfra.vsphere.checks.cards import concerned, mig_is_on
from aiinfra.vsphere.checks.wanted import WantedVm
from aiinfra.vsphere.readings import Card, Host


@dataclass(frozen=True, slots=True)
class HostSteps:
    """What somebody does on one host, in order."""

    host: str
    power_off: Sequence[str]
    """Names of VMs that use the cards: they must be off, or elsewhere, first."""
    commands: Sequence[str]
    """For the host's shell."""

    def lines(self) -> Iterator[str]:
        """As a person reads them."""
        yield f"{self.host}: switch MIG mode in the host's shell"
        if self.power_off:
            yield f"  first power off, or move away: {', '.join(self.power_off)}"
        yield from (f"  {command}" for command in self.commands)


def steps(hosts: Sequence[Host], wanted: WantedVm) -> list[HostSteps]:
    """For every host whose cards are in the other mode than `wanted` needs; none for hosts that do not answer."""
    if wanted.mode not in ("vgpu", "mig"):
        return []
    found = []
    for host in hosts:
        cards = concerned(host, wanted)
        if not cards or not host.connected or host.startable is None:
            continue
        on = mig_is_on(host, {card.device_vendor_id for card in cards})
        if on != (wanted.mode == "mig"):
            found.append(_steps(host, cards, on=not on))
    return found


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
    return HostSteps(host.name, sorted({vm for card in cards for vm in card.vms}), commands)


def bus_id(pci_id: str) -> str:
    """As `nvidia-smi` writes it: a domain of eight digits, upper case."""
    domain, _, rest = pci_id.partition(":")
    return f"{int(domain, 16):08X}:{rest.upper()}"
