"""Imports an OVA as a VM that templates are cloned from: once for each contents, marked, with progress.

An OVA is a tar of an OVF descriptor and disks (DMTF DSP0243); a vCenter reads the descriptor and takes the disks over
an `HttpNfcLease`.
"""

from __future__ import annotations

import hashlib
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from pyVmomi import vim

from aiinfra.domains.vsphere.client import tls
from aiinfra.domains.vsphere.client.errors import VSphereError
from aiinfra.domains.vsphere.client.properties import one
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.client.tasks import finish
from aiinfra.domains.vsphere.reading.inventory import marked
from aiinfra.domains.vsphere.template.config_spec import marking
from aiinfra.domains.vsphere.template.desired import (
    CLONED,
    CONFIGURED,
    IMAGE,
    MARK_DOMAIN,
    MARK_NAME,
    MARK_SOURCE,
    MARK_SPEC,
    MARK_STEP,
)
from aiinfra.domains.vsphere.template.removal import remove
from aiinfra.domains.vsphere.template.request import Ova, Request
from aiinfra.errors import StepError
from aiinfra.waiting import Pending, Stopped, TimedOut

BLOCK: Final = 1 << 20
KEEP_ALIVE: Final = 10.0
"""Seconds between two reports of progress; a lease without any ends after five minutes (`HttpNfcLease`)."""
SOURCE: Final = "source"
"""Failure domain that the mark of an imported image names: it belongs to all of them."""
_importing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image is imported, as managed objects."""

    folder: Any
    pool: Any
    datastore: Any


def imported(vcenter: VCenter, request: Request, place: Place, limit: float) -> Any:
    """The VM of an image, imported when it is not there. Returns the `vim.VirtualMachine`.

    Raises `StepError` for a file that is not what its digest says, `VSphereError`, `Stopped`.
    """
    assert isinstance(request.source, Ova)
    with _importing:
        digest = f"{IMAGE}{request.source.sha256}"
        for vm in marked(vcenter, request.owner.environment_id):
            if vm.marks.get(MARK_SPEC) != digest:
                continue
            if vm.marks.get(MARK_STEP) == CONFIGURED:
                return vm.object
            remove(vcenter, vm, limit)
        return _import(vcenter, request, request.source, place, limit)


def drop_image(vcenter: VCenter, environment_id: str, digest: str, limit: float) -> None:
    """Remove an imported image that no template was cloned from. Raises `VSphereError`, `Stopped`."""
    with _importing:
        there = marked(vcenter, environment_id)
        if any(vm.marks.get(MARK_SOURCE) == digest for vm in there):
            return
        for vm in there:
            if vm.marks.get(MARK_DOMAIN) == SOURCE and vm.marks.get(MARK_SPEC) == digest:
                remove(vcenter, vm, limit)


def _import(vcenter: VCenter, request: Request, ova: Ova, place: Place, limit: float) -> Any:
    path = Path(ova.path)
    _check(path, ova.sha256, vcenter)
    owner = request.owner
    name = f"{owner.environment}-{owner.stack}-source-{ova.sha256[:8]}"
    with _opened(path) as archive:
        spec = _import_spec(vcenter, archive, name, request, place)
        lease = place.pool.ImportVApp(spec.importSpec, place.folder)
        vm = _Lease(vcenter, lease, f"importing {path.name}", limit).fill(archive, spec)
    marks = {MARK_DOMAIN: SOURCE, MARK_SPEC: f"{IMAGE}{ova.sha256}", MARK_STEP: CONFIGURED, MARK_NAME: name}
    finish(vcenter, vm.ReconfigVM_Task(marking(owner, marks)), "marking", name, limit=limit)
    return vm


def _check(path: Path, sha256: str, vcenter: VCenter) -> None:
    """Raises `StepError` before anything is sent."""
    vcenter.say(f"reading {path.name}")
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        message = f"the image {path} cannot be read: {error.strerror}"
        raise StepError(message, code="vsphere.image", hint="name the file of the OVA") from error
    if digest != sha256:
        message = f"the image {path} has SHA-256 {digest}, not {sha256}"
        raise StepError(message, code="vsphere.image", hint="fetch it again, or correct sha256")


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path) as archive:
            yield archive
    except tarfile.TarError as error:
        message = f"the image {path} is no OVA: {error}"
        raise StepError(message, code="vsphere.image", hint="an OVA is a tar of an .ovf and disks") from error


def _import_spec(vcenter: VCenter, archive: tarfile.TarFile, name: str, request: Request, place: Place) -> Any:
    assert isinstance(request.source, Ova)
    ovf = next((member for member in archive.getmembers() if member.name.endswith(".ovf")), None)
    content = archive.extractfile(ovf) if ovf else None
    if content is None:
        raise StepError("the image has no .ovf", code="vsphere.image", hint="take the OVA of the distribution")
    params = vim.OvfManager.CreateImportSpecParams(entityName=name, diskProvisioning="thin")
    if network := _network(vcenter, request, place):
        params.networkMapping = network
    told = vcenter.content.ovfManager.CreateImportSpec(content.read().decode(), place.pool, place.datastore, params)
    if told.error:
        message = "; ".join(fault.msg or type(fault).__name__ for fault in told.error)
        raise StepError(f"vCenter does not take the image: {message}", code="vsphere.image", hint="check the OVA")
    digest = f"{IMAGE}{request.source.sha256}"
    marks = {MARK_DOMAIN: SOURCE, MARK_SPEC: digest, MARK_STEP: CLONED, MARK_NAME: name}
    mark = marking(request.owner, marks)
    config = told.importSpec.configSpec
    config.extraConfig = [*(config.extraConfig or []), *mark.extraConfig]
    config.annotation = mark.annotation
    return told


def _network(vcenter: VCenter, request: Request, place: Place) -> list[Any]:
    """The image's one network, `VM Network` in RHCOS, mapped to the one that is named."""
    assert isinstance(request.source, Ova)
    if not request.source.network:
        return []
    path = f"/{request.datacenter}/network/{request.source.network}"
    found = vcenter.content.searchIndex.FindByInventoryPath(path)
    if found is None:
        raise StepError(f"network {path} does not exist", code="vsphere.not_found", hint="name one that exists")
    return [vim.OvfManager.NetworkMapping(name="VM Network", network=found)]


@dataclass(frozen=True, slots=True)
class _Lease:
    """A lease on an import under way."""

    vcenter: VCenter
    lease: Any
    doing: str
    limit: float

    def fill(self, archive: tarfile.TarFile, spec: Any) -> Any:
        """Send every disk, and return the VM. The lease is given up when anything goes wrong."""
        try:
            info = self._ready()
            urls = {url.importKey: url.url for url in info.deviceUrl}
            sizes = {item.path: archive.getmember(item.path).size for item in spec.fileItem}
            sent = 0
            for item in spec.fileItem:
                sent = self._send(archive, item, urls[item.deviceId], sent, sum(sizes.values()))
            self.lease.HttpNfcLeaseComplete()
        except (VSphereError, StepError, Stopped, httpx.HTTPError, KeyError) as error:
            with suppress(VSphereError):
                self.lease.HttpNfcLeaseAbort()
            if isinstance(error, httpx.HTTPError | KeyError):
                message = f"{self.doing}: sending a disk failed: {error}"
                raise StepError(
                    message, code="vsphere.image", hint="check that ESXi hosts are reachable on 443"
                ) from error
            raise
        return info.entity

    def _ready(self) -> Any:
        def ask() -> Any | Pending:
            row = one(self.vcenter, self.lease, ["state", "info", "error"])
            state = row.get("state") if row else None
            if state == "error" and row:
                raise self.vcenter.refusal(row.get("error"), self.doing)
            return row.get("info") if row and state == "ready" else Pending(f"{self.doing}: the lease")

        try:
            return self.vcenter.waiter(self.limit).until(ask)
        except TimedOut as error:
            raise StepError(f"{error.last} is not ready after {self.limit:g} s", code="vsphere.task_slow") from error

    def _send(self, archive: tarfile.TarFile, item: Any, url: str, sent: int, total: int) -> int:
        content = archive.extractfile(item.path)
        assert content is not None
        size = archive.getmember(item.path).size
        done = sent

        def blocks() -> Iterator[bytes]:
            nonlocal done
            while block := content.read(BLOCK):
                if self.vcenter.stop.is_set():
                    raise Stopped(self.doing)
                yield block
                done += len(block)
                self._progress(done * 100 // max(total, 1))

        host = self.vcenter.access.host
        headers = {"Content-Length": str(size), "Content-Type": "application/x-vnd.vmware-streamVmdk"}
        with httpx.Client(verify=tls.context(self.vcenter.access), timeout=60) as client:
            method = "PUT" if item.create else "POST"
            answer = client.request(method, url.replace("*", host), content=blocks(), headers=headers)
        if answer.is_error:
            message = f"{self.doing}: {host} answered {answer.status_code} to disk {item.path}"
            raise StepError(message, code="vsphere.image", hint="see the import under Recent Tasks in vCenter")
        return sent + size

    def _progress(self, percent: int) -> None:
        self.vcenter.say(f"{self.doing}: {percent} %")
        self.lease.HttpNfcLeaseProgress(min(percent, 100))
