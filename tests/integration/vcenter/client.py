"""The lab's vCenter as pyVmomi sees it: a process of its own, and few words for what tests do in it."""

from __future__ import annotations

import json
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from pyVmomi import SoapStubAdapter, vim, vmodl

from aiinfra.domains.vsphere.lab.block import LabVCenter
from aiinfra.domains.vsphere.lab.description import vcenter_description
from aiinfra.waiting import Pending, Waiter

USER, PASSWORD = "administrator@vsphere.local", "canary-Pa55"
Pci = vim.vm.device.VirtualPCIPassthrough
VERSION = "vim.version.v8_0_3_0"
PROFILE = "grid_a100-20c"
OPTIONS = {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "512"}
FULLY_AUTOMATED = vim.option.OptionValue(key="OverrideAutomationLevel", value="fullyAutomated")


class Simulator:
    """One running vCenter, and a session in it."""

    def __init__(self, ready: Mapping[str, Any], log: Path) -> None:
        self.ready = ready
        self.log = log
        self._stubs: list[Any] = []
        self.session = self.connect()

    def connect(self, user: str = USER, password: str = PASSWORD) -> Any:
        anybody = ssl._create_unverified_context()
        self._stubs.append(SoapStubAdapter("127.0.0.1", self.ready["port"], version=VERSION, sslContext=anybody))
        opened = vim.ServiceInstance("ServiceInstance", self._stubs[-1])
        opened.content.sessionManager.Login(user, password, None)
        return opened

    def close(self) -> None:
        for stub in self._stubs:
            stub.DropConnections()

    @property
    def content(self) -> Any:
        return self.session.content

    def find(self, path: str) -> Any:
        return self.content.searchIndex.FindByInventoryPath(path)

    def all(self, kind: Any) -> list[Any]:
        view = self.content.viewManager.CreateContainerView(self.content.rootFolder, [kind], True)
        return list(view.view)

    def host(self, name: str) -> Any:
        return next(host for host in self.all(vim.HostSystem) if host.name == name)

    @property
    def template(self) -> Any:
        return self.find("/dc1/vm/templates/rhcos")

    def clone(self, name: str, config: Any = None, source: Any = None, **spec: Any) -> Any:
        (cluster,), (store,) = self.all(vim.ClusterComputeResource), self.all(vim.Datastore)
        place = vim.vm.RelocateSpec(pool=cluster.resourcePool, datastore=store, **spec.pop("place", {}))
        asked = vim.vm.CloneSpec(location=place, config=config, **{"powerOn": False, "template": False, **spec})
        return done((source or self.template).CloneVM_Task(folder=self.template.parent, name=name, spec=asked))

    def place_and_start(self, vm: Any) -> str:
        """Power on by way of DRS; the name of the host that it chose."""
        (datacenter,) = self.all(vim.Datacenter)
        told = done(datacenter.PowerOnMultiVM_Task([vm], [FULLY_AUTOMATED]))
        for refused in told.notAttempted:
            raise refused.fault
        done(told.attempted[0].task)
        return str(vm.runtime.host.name)

    def control(self, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.ready['controlPort']}{path}"
        try:
            with urllib.request.urlopen(url, data, timeout=20) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            with error:
                return dict(json.load(error))

    def fault(self, name: str, place: str = "") -> Mapping[str, Any]:
        return self.control("/faults", {"faults": [{"name": name, "place": place}]})


def done(task: Any) -> Any:
    """The result of a task; its fault is raised."""

    def ask() -> Any:
        info = task.info
        return Pending(f"{info.name} is {info.state}") if info.state not in ("success", "error") else info

    info = Waiter(limit=30, every=0.02).until(ask)
    if info.state == "error":
        raise info.error
    return info.result


def sentence(fault: Any) -> tuple[str, str]:
    """A fault as its type and what is said with it."""
    return type(fault).__name__.removeprefix("vim.fault.").removeprefix("vmodl.fault."), str(fault.msg)


def refusal(act: Any) -> tuple[str, str]:
    """What `act` is refused with."""
    try:
        act()
    except vmodl.MethodFault as fault:
        return sentence(fault)
    raise AssertionError("it was not refused")


def on_each_host(act: Any) -> set[tuple[str, str]]:
    """What each host has against it when none is compatible."""
    try:
        act()
    except vim.fault.NoCompatibleHost as fault:
        return {sentence(one) for one in fault.error}
    raise AssertionError("a host was found")


def with_gpus(*backings: Any, **changes: Any) -> Any:
    """A spec that gives a VM these devices, and all that they need."""
    devices = [
        vim.vm.device.VirtualDeviceSpec(operation="add", device=Pci(key=-100 - number, backing=backing))
        for number, backing in enumerate(backings)
    ]
    return vim.vm.ConfigSpec(
        deviceChange=devices, **{"extraConfig": options(OPTIONS), "memoryReservationLockedToMax": True, **changes}
    )


def vgpu(profile: str = PROFILE) -> Any:
    return Pci.VmiopBackingInfo(vgpu=profile)


def dynamic(label: str = "") -> Any:
    allowed = [Pci.AllowedDevice(vendorId=0x10DE, deviceId=0x20F1)]
    return Pci.DynamicBackingInfo(deviceName="", allowedDevice=allowed, customLabel=label or None)


def options(said: Mapping[str, str]) -> list[Any]:
    return [vim.option.OptionValue(key=key, value=value) for key, value in said.items()]


def devices(vm: Any) -> list[Any]:
    return [device for device in vm.config.hardware.device if isinstance(device, Pci)]


@contextmanager
def simulator(program: Path, folder: Path, spec: LabVCenter, flags: Sequence[str] = ()) -> Iterator[Simulator]:
    said, ready = folder / "description.json", folder / "ready.json"
    said.write_text(json.dumps(vcenter_description(spec, user=USER, password=PASSWORD)))
    command = [str(program), "--description", str(said), "--ready", str(ready), *flags]
    log = folder / "log"
    with log.open("w") as errors, subprocess.Popen(command, stderr=errors) as process:
        try:
            started = Simulator(Waiter(limit=30, every=0.02).until(lambda: _ready(process, ready, log)), log)
            with closing(started):
                yield started
        finally:
            process.terminate()


def _ready(process: subprocess.Popen[bytes], ready: Path, log: Path) -> Mapping[str, Any] | Pending:
    if ready.exists():
        return dict(json.loads(ready.read_text()))
    assert process.poll() is None, log.read_text()
    return Pending("the lab's vCenter")
