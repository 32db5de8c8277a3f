"""A host by itself: its connection, release, licence, DNS and time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiinfra.domains.vsphere.checks.findings import API, Topic
from aiinfra.domains.vsphere.facts import esxi
from aiinfra.domains.vsphere.facts.esxi_releases import KB_BUILDS, release_of
from aiinfra.domains.vsphere.reading.observed import Host
from aiinfra.domains.vsphere.spec import GpuTemplateSpec
from aiinfra.stack import Finding

GPU_EDITIONS = ("enterprise plus", "cloud foundation", "vsphere foundation", "evaluation")
LOOK: Final = "look at the host's licence in vCenter"
PRESENT: Final = Topic("vsphere.present", f"{API}: HostRuntimeInfo")
REBOOT: Final = Topic("vsphere.reboot", f"{API}: HostListSummary.rebootRequired")
ESXI: Final = Topic("vsphere.esxi", KB_BUILDS)
LICENCE: Final = Topic("vsphere.licence", "Broadcom, vSphere edition comparison: NVIDIA GRID vGPU, DRS")
DNS: Final = Topic("vsphere.dns", "VMware ESXi Installation and Setup, network settings")
NTP: Final = Topic("vsphere.ntp", "OpenShift documentation, VMware vSphere infrastructure requirements")


def present(host: Host, spec: GpuTemplateSpec) -> Iterator[Finding]:
    if "connected" in host.unread:
        yield PRESENT.unread(host, "connected", host.name, "connected", "let the account read the host")
    elif not host.connected:
        yield PRESENT.error(host.name, "not connected", "connected", "connect it in vCenter")
    elif host.maintenance:
        hint = "end its maintenance mode, or expect nothing of it"
        yield PRESENT.warning(host.name, "in maintenance mode", "in service", hint)
    else:
        yield PRESENT.ok(host.name, "in service", "in service")


def reboot(host: Host, spec: GpuTemplateSpec) -> Iterator[Finding]:
    """Yield whether a reboot is pending; it is an error while it keeps the host from starting any vGPU."""
    needed = "no reboot pending"
    if host.reboot_required is None:
        yield REBOOT.unread(host, "reboot_required", host.name, needed)
    elif host.reboot_required:
        hint = f"reboot {host.name}: what was set on it takes effect then"
        level = REBOOT.error if spec.shares_cards and host.startable == () else REBOOT.warning
        yield level(host.name, "waits for a reboot", needed, hint)
    else:
        yield REBOOT.ok(host.name, "no reboot pending", needed)


def version(host: Host, spec: GpuTemplateSpec) -> Iterator[Finding]:
    """Yield whether the release has what the template uses, and whether the build is in the table of releases."""
    if (least := _floor(spec)) is None:
        hint = "take a source with an older hardware version"
        needed = "a hardware version whose ESXi we know"
        read = f"hardware version {spec.hardware_version} of the source"
        yield ESXI.by(esxi.KB_HARDWARE).unknown(host.name, read, needed, hint)
        return
    floor, why, source = least
    needed = f"ESXi {'.'.join(map(str, floor))} or newer ({why})"
    if host.version is None or host.build is None:
        yield ESXI.by(source).unread(host, "version" if host.version is None else "build", host.name, needed)
        return
    named = release_of(host.version, host.build)
    read = f"ESXi {named or host.version}, build {host.build}"
    if _older(host.version, floor):
        yield ESXI.by(source).error(host.name, read, needed, "update the host, or ask less of the template")
    elif not named:
        hint = f"look its patch level up in {KB_BUILDS}"
        yield ESXI.unknown(host.name, f"{read}: a release we do not know", needed, hint)
    else:
        yield ESXI.by(source).ok(host.name, read, needed)


def _older(version: str, floor: esxi.Version) -> bool:
    try:
        return esxi.version(version)[:3] < floor
    except ValueError:
        return False


def _floor(spec: GpuTemplateSpec) -> tuple[esxi.Version, str, str] | None:
    """Return the oldest release that serves, why, and the source; None for an unknown hardware version."""
    if spec.hardware_version not in esxi.HARDWARE:
        return None
    floors = [(esxi.FLOOR, "GPUs in VMs", "vmware-tanzu/vm-operator constants")]
    hardware = f"hardware version {spec.hardware_version}"
    floors.append((esxi.HARDWARE[spec.hardware_version], hardware, esxi.KB_HARDWARE))
    if spec.label:
        floors.append((esxi.LABELS, "hardware labels", f"{API}: HostPciPassthruInfo"))
    if spec.gpu.mode == "device_group":
        floors.append((esxi.DEVICE_GROUPS, "device groups", f"{API}: ConfigTarget"))
    return max(floors)


def licence(host: Host, spec: GpuTemplateSpec) -> Iterator[Finding]:
    needed, edition = "an edition with vGPU and DRS, such as vSphere Enterprise Plus", host.license_edition
    if edition is None:
        yield LICENCE.unread(host, "license_edition", host.name, needed, LOOK)
    elif any(known in edition.lower() for known in GPU_EDITIONS):
        yield LICENCE.ok(host.name, edition, needed)
    elif spec.shares_cards:
        yield LICENCE.error(host.name, edition, needed, "assign such a licence, or use passthrough")
    else:
        yield LICENCE.warning(host.name, edition, needed, "assign such a licence: placement needs DRS")


def names(host: Host, spec: GpuTemplateSpec) -> Iterator[Finding]:
    needed = "a DNS server"
    if host.dns is None:
        yield DNS.unread(host, "dns", host.name, needed)
    elif not host.dns:
        yield DNS.warning(host.name, "no DNS server", needed, "set one in the host's network settings")
    else:
        yield DNS.ok(host.name, ", ".join(host.dns), needed)


def time(host: Host, spec: GpuTemplateSpec) -> Iterator[Finding]:
    needed = "an NTP server, its service running"
    hint = "set an NTP server and start ntpd: licences and certificates fail on a wrong clock"
    if host.ntp is None:
        yield NTP.unread(host, "ntp", host.name, needed)
    elif not host.ntp:
        yield NTP.warning(host.name, "no NTP server", needed, hint)
    elif host.ntp_running is None:
        yield NTP.unread(host, "ntp_running", host.name, needed)
    elif not host.ntp_running:
        yield NTP.warning(host.name, f"{', '.join(host.ntp)}, service does not run", needed, hint)
    else:
        yield NTP.ok(host.name, ", ".join(host.ntp), needed)
