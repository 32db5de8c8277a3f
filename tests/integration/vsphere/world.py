"""A good world: what a lab's vCenter is told to be. Tests change one thing of it."""

from __future__ import annotations

import json
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiinfra.domains.vsphere.client.access import Access
from aiinfra.domains.vsphere.reading.observed import SiteQuestion
from aiinfra.waiting import Pending, Waiter

USER, PASSWORD = "installer@vsphere.local", "canary-Pa55"
A100 = {"vendorId": 0x10DE, "deviceId": 0x20F1, "subVendorId": 0x10DE, "subDeviceId": 0x1445}
TIME_SLICED = {f"grid_a100-{size}c": size for size in (4, 5, 8, 10, 20, 40)}
MIG = {"grid_a100-1-5c": (5, 1), "grid_a100-2-10c": (10, 2), "grid_a100-3-20c": (20, 3), "grid_a100-7-40c": (40, 7)}
VIB = {"name": "NVD-AIE_ESXi_8.0.0_Driver", "version": "580.65.05-1OEM.800.1.0.20613240", "vendor": "NVIDIA"}
OTHER_VIB = {"name": "esx-base", "version": "8.0.3-0.0.24022510", "vendor": "VMware"}


def profiles() -> list[dict[str, Any]]:
    shared = [_profile(name, size, "timeSliced", 40 // size) for name, size in TIME_SLICED.items()]
    return shared + [_profile(name, size, "mig", 7 // slices, slices) for name, (size, slices) in MIG.items()]


def _profile(name: str, size: int, sharing: str, most: int, slices: int = 0) -> dict[str, Any]:
    own = {"name": name, "frameBufferGib": size, "sharing": sharing, "class": "compute", "max": most}
    return {**own, "slices": slices} if slices else own


def card(pci_id: str = "0000:3b:00.0", **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "pciId": pci_id,
        "name": "NVIDIA A100-PCIE-40GB",
        **A100,
        "memoryMib": 40960,
        "graphicsType": "sharedDirect",
        "vgpuMode": "sameSize",
        "migCapable": True,
        "slices": 7,
        "passthrough": {"capable": True, "enabled": False, "active": False, "label": ""},
        "profiles": profiles(),
    }
    return {**made, **changes}


def passed(pci_id: str = "0000:3b:00.0", label: str = "gpu-a100", **changes: Any) -> dict[str, Any]:
    """A card that is passed through."""
    state = {"capable": True, "enabled": True, "active": True, "label": label, **changes}
    return card(pci_id, graphicsType="", vgpuMode="", passthrough=state)


def host(name: str, *cards: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    made = {
        "name": name,
        "version": "8.0.3",
        "build": "24022510",
        "memoryMib": 1048576,
        "cpus": 64,
        "defaultGraphicsType": "sharedDirect",
        "assignmentPolicy": "performance",
        "dns": ["10.0.0.53"],
        "ntp": ["10.0.0.123"],
        "ntpRunning": True,
        "vibs": [VIB, OTHER_VIB],
        "cards": list(cards),
    }
    return {**made, **changes}


def vm(name: str, **changes: Any) -> dict[str, Any]:
    made = {
        "name": name,
        "hardwareVersion": 19,
        "guestId": "rhel9_64Guest",
        "firmware": "efi",
        "memoryMib": 16384,
        "cpus": 4,
        "diskMib": [16384],
    }
    return {**made, **changes}


def cluster(name: str, *hosts: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    drs = {"enabled": True, "behavior": "fullyAutomated", "options": {"VgpuMMAutomationTimeoutSecs": "-1"}}
    return {"name": name, "drs": drs, "hosts": list(hosts), **changes}


def world(
    clusters: Sequence[Mapping[str, Any]] = (), vms: Sequence[Mapping[str, Any]] = (), **changes: Any
) -> dict[str, Any]:
    """One datacenter `dc1` with the clusters, by default one of two hosts; the source `rhcos`; and more VMs."""
    hosts = (host("esx-01", card("0000:3b:00.0"), card("0000:af:00.0")), host("esx-02", card(), passed("0000:af:00.0")))
    datacenter = {
        "name": "dc1",
        "folders": ["templates", "running"],
        "networks": ["VM Network"],
        "datastores": [{"name": "ssd", "capacityMib": 4194304, "freeMib": 2097152}],
        "clusters": list(clusters) or [cluster("gpu", *hosts)],
        "vms": [vm("rhcos", folder="templates", template=True), *vms],
    }
    settings = {"vgpu.hotmigrate.enabled": "true"}
    own = {"user": USER, "password": PASSWORD, "settings": settings, "datacenters": [datacenter]}
    return {**own, **changes}


WANTED = SiteQuestion("dc1", "gpu", "ssd", "templates", "templates/rhcos")


@dataclass(frozen=True)
class Running:
    """A lab's vCenter."""

    port: int
    control_port: int
    fingerprint: str
    certificate: str

    def access(self, **changes: Any) -> Access:
        own: dict[str, Any] = {"host": "127.0.0.1", "port": self.port, "user": USER, "password": PASSWORD}
        return Access(**{**own, "fingerprint": self.fingerprint, **changes})

    def fault(self, name: str = "", place: str = "") -> None:
        """Break one thing; without a name, nothing is broken any more."""
        self._control("/faults", {"faults": [{"name": name, "place": place}] if name else []})

    def calls(self) -> Mapping[str, Any]:
        """`methods`, `total`, `atOnce` since `forget_calls`."""
        return self._control("/calls")

    def forget_calls(self) -> None:
        self._control("/calls/reset", {})

    def _control(self, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.control_port}{path}", data, timeout=10) as answer:
            told: Mapping[str, Any] = json.load(answer)
        return told


@contextmanager
def running(program: Path, described: Mapping[str, Any], *options: str) -> Iterator[Running]:
    with tempfile.TemporaryDirectory() as name:
        description, ready = Path(name) / "world.json", Path(name) / "ready.json"
        description.write_text(json.dumps(described))
        files = ("--description", str(description), "--ready", str(ready))
        command = [str(program), *files, "--listen", "127.0.0.1:0", *options]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield Waiter(60, every=0.02).until(lambda: _ready(process, ready))
            finally:
                process.terminate()


def _ready(process: subprocess.Popen[str], ready: Path) -> Running | Pending:
    if ready.exists():
        told = json.loads(ready.read_text())
        return Running(told["port"], told["controlPort"], told["fingerprint"], told["certificate"])
    assert process.poll() is None, process.communicate()[1]
    return Pending("the lab's vCenter")
