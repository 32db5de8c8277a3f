"""Preflights of a host as such: release, licence, names and time.

Each test breaks one thing of a good world and reads the sentence: what was read | needed | way out | source.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.vsphere.conftest import host
from tests.unit.vsphere.worlds import NO, PASSTHROUGH, RHCOS, VGPU, Break, changed, passed, shared, silent, told, world

BREAKS: dict[str, Break] = {
    "ESXi version": (
        lambda: world(shared(version="7.0.1", build="17551050")),
        VGPU,
        "error esx-01: ESXi 7.0 Update 1d, build 17551050 | ESXi 7.0.2 or newer (hardware version 19) "
        "| update the host, or ask less of the template | Broadcom KB 315655",
    ),
    "ESXi version cannot be read": (
        lambda: world(silent("version")),
        VGPU,
        "unknown esx-01: no permission System.Read | ESXi 7.0.2 or newer (hardware version 19) | read "
        "it on the host, or let the account read it | Broadcom KB 315655",
    ),
    "build cannot be read": (
        lambda: world(silent("build")),
        VGPU,
        "unknown esx-01: no permission System.Read | ESXi 7.0.2 or newer (hardware version 19) | read "
        "it on the host, or let the account read it | Broadcom KB 315655",
    ),
    "patch level that the table has not": (
        lambda: world(shared(version="9.9.0", build="30000000")),
        VGPU,
        "unknown esx-01: ESXi 9.9.0, build 30000000: a release we do not know | ESXi 7.0.2 or newer "
        "(hardware version 19) | look its patch level up in Broadcom KB 316595 | Broadcom KB 316595",
    ),
    "hardware version of the source": (
        lambda: world(source=replace(RHCOS, hardware_version=22)),
        VGPU,
        "error esx-01: ESXi 8.0 Update 3, build 24022510 | ESXi 9.0.0 or newer (hardware version 22) "
        "| update the host, or ask less of the template | Broadcom KB 315655",
    ),
    "hardware version that no table has": (
        lambda: world(source=replace(RHCOS, hardware_version=99)),
        VGPU,
        "unknown esx-01: hardware version 99 of the source | a hardware version whose ESXi we know | "
        "take a source with an older hardware version | Broadcom KB 315655",
    ),
    "labels on an old ESXi": (
        lambda: world(passed(version="7.0.1", build="17551050")),
        changed(PASSTHROUGH, hardware_version=17),
        "error esx-01: ESXi 7.0 Update 1d, build 17551050 | ESXi 7.0.2 or newer (hardware labels) | "
        "update the host, or ask less of the template | vSphere Web Services API 8.0.3: "
        "HostPciPassthruInfo",
    ),
    "not connected": (
        lambda: world(host(connected=False)),
        VGPU,
        "error esx-01: not connected | connected | connect it in vCenter | vSphere Web Services API "
        "8.0.3: HostRuntimeInfo",
    ),
    "connection cannot be read": (
        lambda: world(host(connected=False, unread={"connected": NO})),
        VGPU,
        "unknown esx-01: no permission System.Read | connected | let the account read the host | "
        "vSphere Web Services API 8.0.3: HostRuntimeInfo",
    ),
    "in maintenance": (
        lambda: world(shared(maintenance=True)),
        VGPU,
        "warning esx-01: in maintenance mode | in service | end its maintenance mode, or expect "
        "nothing of it | vSphere Web Services API 8.0.3: HostRuntimeInfo",
    ),
    "reboot pending": (
        lambda: world(shared(reboot_required=True)),
        VGPU,
        "warning esx-01: waits for a reboot | no reboot pending | reboot esx-01: what was set on it "
        "takes effect then | vSphere Web Services API 8.0.3: HostListSummary.rebootRequired",
    ),
    "reboot pending, and no vGPU can be started before": (
        lambda: world(shared(reboot_required=True, startable=())),
        VGPU,
        "error esx-01: waits for a reboot | no reboot pending | reboot esx-01: what was set on it takes effect then | "
        "vSphere Web Services API 8.0.3: HostListSummary.rebootRequired",
    ),
    "reboot cannot be read": (
        lambda: world(silent("reboot_required")),
        VGPU,
        "unknown esx-01: no permission System.Read | no reboot pending | read it on the host, or let "
        "the account read it | vSphere Web Services API 8.0.3: HostListSummary.rebootRequired",
    ),
    "licence edition": (
        lambda: world(shared(license_edition="VMware vSphere 8 Standard")),
        VGPU,
        "error esx-01: VMware vSphere 8 Standard | an edition with vGPU and DRS, such as vSphere "
        "Enterprise Plus | assign such a licence, or use passthrough | Broadcom, vSphere edition "
        "comparison: NVIDIA GRID vGPU, DRS",
    ),
    "licence edition for passthrough": (
        lambda: world(passed(license_edition="VMware vSphere 8 Standard")),
        PASSTHROUGH,
        "warning esx-01: VMware vSphere 8 Standard | an edition with vGPU and DRS, such as vSphere "
        "Enterprise Plus | assign such a licence: placement needs DRS | Broadcom, vSphere edition "
        "comparison: NVIDIA GRID vGPU, DRS",
    ),
    "licence cannot be read": (
        lambda: world(silent("license_edition")),
        VGPU,
        "unknown esx-01: no permission System.Read | an edition with vGPU and DRS, such as vSphere "
        "Enterprise Plus | look at the host's licence in vCenter | Broadcom, vSphere edition "
        "comparison: NVIDIA GRID vGPU, DRS",
    ),
    "DNS": (
        lambda: world(shared(dns=())),
        VGPU,
        "warning esx-01: no DNS server | a DNS server | set one in the host's network settings | "
        "VMware ESXi Installation and Setup, network settings",
    ),
    "DNS cannot be read": (
        lambda: world(silent("dns")),
        VGPU,
        "unknown esx-01: no permission System.Read | a DNS server | read it on the host, or let the "
        "account read it | VMware ESXi Installation and Setup, network settings",
    ),
    "no NTP server": (
        lambda: world(shared(ntp=())),
        VGPU,
        "warning esx-01: no NTP server | an NTP server, its service running | set an NTP server and "
        "start ntpd: licences and certificates fail on a wrong clock | OpenShift documentation, "
        "VMware vSphere infrastructure requirements",
    ),
    "NTP service": (
        lambda: world(shared(ntp_running=False)),
        VGPU,
        "warning esx-01: 10.0.0.123, service does not run | an NTP server, its service running | set "
        "an NTP server and start ntpd: licences and certificates fail on a wrong clock | OpenShift "
        "documentation, VMware vSphere infrastructure requirements",
    ),
    "NTP cannot be read": (
        lambda: world(silent("ntp")),
        VGPU,
        "unknown esx-01: no permission System.Read | an NTP server, its service running | read it on "
        "the host, or let the account read it | OpenShift documentation, VMware vSphere "
        "infrastructure requirements",
    ),
    "NTP service cannot be read": (
        lambda: world(silent("ntp_running")),
        VGPU,
        "unknown esx-01: no permission System.Read | an NTP server, its service running | read it on "
        "the host, or let the account read it | OpenShift documentation, VMware vSphere "
        "infrastructure requirements",
    ),
}


@pytest.mark.parametrize("phrase", BREAKS)
def test_one_thing_is_broken(phrase: str) -> None:
    broken, wanted, says = BREAKS[phrase]
    assert says in told(broken(), wanted)
