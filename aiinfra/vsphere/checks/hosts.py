"""A host as such: is it there, is it new enough, is it licensed, does it know names and time."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.facts import esxi
from aiinfra.stack import Finding
from aiinfra.vsphere.checks.findings import error, ok, unknown, warning
from aiinfra.vsphere.checks.wanted import WantedVm
from aiinfra.vsphere.readings import Host

GPU_EDITIONS = ("enterprise plus", "cloud foundation", "vsphere foundation", "evaluation")
"""Editions with vGPU and DRS: Broadcom, "vSphere edition comparison" (NVIDIA GRID vGPU; DRS)."""


LOOK = "look at the host's licence in vCenter"


def present(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    if not host.connected:
        yield error("vsphere.present", host.name, "not connected", "connected", "connect it in vCenter")
    elif host.maintenance:
        hint = "end its maintenance mode, or expect nothing of it"
        yield warning("vsphere.present", host.name, "in maintenance mode", "in service", hint)
    else:
        yield ok("vsphere.present", host.name, "in service", "in service")


def version(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    """The release, against the floors of what the template uses."""
    needed, why, source = _floor(wanted)
    least = f"ESXi {'.'.join(map(str, needed))} or newer ({why})"
    if host.version is None or host.build is None:
        yield unknown("vsphere.esxi", host, host.name, "version", least)
        return
    named = esxi.release_of(host.version, int(host.build)) or host.version
    read = f"ESXi {named}, build {host.build}"
    if esxi.version(host.version)[:3] < needed:
        yield error(
            "vsphere.esxi", host.name, read, least, "update the host, or ask less of the template", source=source
        )
    else:
        yield ok("vsphere.esxi", host.name, read, least, source)


def _floor(wanted: WantedVm) -> tuple[esxi.Version, str, str]:
    floors = [(esxi.FLOOR, "GPUs in VMs", "vmware-tanzu/vm-operator constants")]
    hardware = f"hardware version {wanted.hardware_version}"
    floors.append((esxi.HARDWARE[wanted.hardware_version], hardware, esxi.KB_HARDWARE))
    if wanted.label:
        floors.append((esxi.LABELS, "hardware labels", "vSphere Web Services API"))
    if wanted.mode == "device_group":
        floors.append((esxi.DEVICE_GROUPS, "device groups", "vSphere Web Services API"))
    return max(floors)


def licence(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    needed = "an edition with vGPU and DRS, such as vSphere Enterprise Plus"
    if host.license_edition is None:
        yield unknown("vsphere.licence", host, host.name, "license_edition", needed, hint=LOOK)
    elif any(edition in host.license_edition.lower() for edition in GPU_EDITIONS):
        yield ok("vsphere.licence", host.name, host.license_edition, needed)
    elif wanted.shares_cards:
        yield error(
            "vsphere.licence", host.name, host.license_edition, needed, "assign such a licence, or use passthrough"
        )
    else:
        yield warning(
            "vsphere.licence", host.name, host.license_edition, needed, "assign such a licence: placement needs DRS"
        )


def names_and_time(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    if host.dns is None:
        yield unknown("vsphere.dns", host, host.name, "dns", "a DNS server")
    elif not host.dns:
        yield warning(
            "vsphere.dns", host.name, "no DNS server", "a DNS server", "set one in the host's network settings"
        )
    else:
        yield ok("vsphere.dns", host.name, ", ".join(host.dns), "a DNS server")
    if host.ntp is None:
        yield unknown("vsphere.ntp", host, host.name, "ntp", "an NTP server, its service running")
    elif not host.ntp or not host.ntp_running:
        read = f"{', '.join(host.ntp) or 'no NTP server'}, service {'runs' if host.ntp_running else 'does not run'}"
        hint = "set an NTP server and start ntpd: licences and certificates fail on a wrong clock"
        yield warning("vsphere.ntp", host.name, read, "an NTP server, its service running", hint)
    else:
        yield ok("vsphere.ntp", host.name, ", ".join(host.ntp), "an NTP server, its service running")
