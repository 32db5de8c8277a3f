"""All that preflights read of a large vCenter: 100 hosts with 8 cards each, 2,000 VMs, every request 20 ms late."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiinfra.waiting import Pending, TimedOut, Waiter
from benchmarks import memory
from benchmarks.measure import Failed, Samples
from benchmarks.report import Row

HOSTS, CARDS, VMS, DELAY_MS = 100, 8, 2000, 20
READ = f"read a vCenter of {HOSTS} hosts, {HOSTS * CARDS} cards, {VMS} VMs"
MEMORY = 200.0
"""MiB of the process that reads."""
USER, PASSWORD = "reader@vsphere.local", "benchmark"
SIZES = (4, 5, 8, 10, 20, 40)


def measure(samples: Samples, figures: list[Row], folder: Path, environ: Mapping[str, str], runs: int) -> None:
    """Raises `Failed`."""
    from aiinfra.toolchain import Toolchain
    from aiinfra.world import World

    program = Toolchain(World.real()).ensure(["vcenter"])["vcenter"]
    with _running(program, folder) as (port, fingerprint):
        command = [sys.executable, "-m", "benchmarks.vcenter", str(port), fingerprint]
        reading = _reading(command, folder, environ)
        reading()
        samples.take(READ, reading, runs)
        held = memory.peak(command, folder, environ)
        figures.append(Row("memory of reading a vCenter", "MiB", 1, held, held, held, budget=MEMORY))


def _reading(command: list[str], folder: Path, environ: Mapping[str, str]) -> Callable[[], None]:
    from benchmarks.measure import run

    return lambda: run(command, folder, environ)


@contextmanager
def _running(program: Path, folder: Path) -> Iterator[tuple[int, str]]:
    description, ready = folder / "vcenter.json", folder / "vcenter-ready.json"
    description.write_text(json.dumps(described()))
    files = ("--description", str(description), "--ready", str(ready))
    with subprocess.Popen([str(program), *files, "--listen", "127.0.0.1:0"]) as process:
        try:
            told = Waiter(120, every=0.1).until(
                lambda: json.loads(ready.read_text()) if ready.exists() else Pending("the lab's vCenter")
            )
            yield told["port"], told["fingerprint"]
        except TimedOut as error:
            raise Failed(f"{error} did not start") from error
        finally:
            process.terminate()


def described() -> dict[str, Any]:
    datacenter = {
        "name": "dc1",
        "folders": ["templates"],
        "networks": ["VM Network"],
        "datastores": [{"name": "ssd", "capacityMib": 1 << 24, "freeMib": 1 << 23}],
        "clusters": [{"name": "gpu", "drs": {"enabled": True}, "hosts": [_host(number) for number in range(HOSTS)]}],
        "vms": [_vm(number) for number in range(VMS)],
    }
    return {"user": USER, "password": PASSWORD, "delays": {"*": DELAY_MS}, "datacenters": [datacenter]}


def _host(number: int) -> dict[str, Any]:
    vib = {"name": "NVD-AIE_ESXi_8.0.0_Driver", "version": "580.65.05", "vendor": "NVIDIA"}
    cards = [_card(place) for place in range(CARDS)]
    return {"name": f"esx-{number:03}", "defaultGraphicsType": "sharedDirect", "vibs": [vib], "cards": cards}


def _card(place: int) -> dict[str, Any]:
    profiles = [
        {"name": f"grid_a100-{size}c", "frameBufferGib": size, "sharing": "timeSliced", "class": "compute"}
        | {"max": 40 // size}
        for size in SIZES
    ]
    own = {"pciId": f"0000:{0x10 + place:02x}:00.0", "name": "NVIDIA A100-PCIE-40GB", "memoryMib": 40960}
    ids = {"vendorId": 0x10DE, "deviceId": 0x20F1, "subVendorId": 0x10DE, "subDeviceId": 0x1445}
    return {**own, **ids, "graphicsType": "sharedDirect", "vgpuMode": "sameSize", "profiles": profiles}


def _vm(number: int) -> dict[str, Any]:
    gpus = ["grid_a100-40c"] if number < HOSTS * CARDS else []
    own = {"name": f"vm-{number:04}", "host": f"esx-{number % HOSTS:03}", "poweredOn": True, "gpus": gpus}
    return {**own, "memoryMib": 1024, "diskMib": [16], "hardwareVersion": 19, "firmware": "efi"}


def read(port: int, fingerprint: str) -> None:
    import threading

    from aiinfra.domains.vsphere.client.access import Access
    from aiinfra.domains.vsphere.client.session import VCenter
    from aiinfra.domains.vsphere.reading.observed import SiteQuestion
    from aiinfra.domains.vsphere.reading.privileges import needed
    from aiinfra.domains.vsphere.reading.sites import read_sites

    access = Access("127.0.0.1", USER, PASSWORD, port, fingerprint=fingerprint)
    with VCenter.open(access, stop=threading.Event(), say=print) as vcenter:
        (site,) = read_sites(vcenter, [SiteQuestion("dc1", "gpu", "ssd", "templates", privileges=needed())])
    cards = sum(len(host.cards) for host in site.cluster.hosts)
    vms = sum(len(host.vms) for host in site.cluster.hosts)
    if (cards, vms) != (HOSTS * CARDS, HOSTS * CARDS):
        raise Failed(f"{cards} cards and {vms} VMs with GPUs were read")


if __name__ == "__main__":
    read(int(sys.argv[1]), sys.argv[2])
