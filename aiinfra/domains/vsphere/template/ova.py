"""Imports an OVA as a marked VM that templates are cloned from, once for each content.

An OVA is a tar of an OVF descriptor and disks (DMTF DSP0243); a vCenter reads the descriptor and takes the disks over
an `HttpNfcLease`.
"""

from __future__ import annotations

import hashlib
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

import httpx
from pyVmomi import vim

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.client import tls
from aiinfra.domains.vsphere.client.errors import VSphereError
from aiinfra.domains.vsphere.client.properties import one
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.client.tasks import finish
from aiinfra.domains.vsphere.inventory_paths import absolute
from aiinfra.domains.vsphere.marks import (
    CLONED,
    CONFIGURED,
    MARK_DOMAIN,
    MARK_NAME,
    MARK_SOURCE,
    MARK_SPEC,
    MARK_STEP,
    Owner,
)
from aiinfra.domains.vsphere.reading.inventory import marked
from aiinfra.domains.vsphere.spec import Ova
from aiinfra.domains.vsphere.template.config_spec import marking
from aiinfra.domains.vsphere.template.content import IMAGE
from aiinfra.domains.vsphere.template.removal import remove
from aiinfra.errors import StepError
from aiinfra.waiting import Pending, Stopped, TimedOut

BLOCK: Final = 1 << 20
SOURCE: Final = "source"
"""Failure domain that the mark of an imported image names: it belongs to all of them."""
_importing = threading.Lock()


@dataclass(frozen=True, slots=True)
class ImageImport:
    """An image to import, its owner, and the managed objects to import it to."""

    owner: Owner
    ova: Ova
    datacenter: str
    folder: Any
    pool: Any
    datastore: Any
    limit: float
    """Seconds for each task."""

    @property
    def digest(self) -> str:
        return f"{IMAGE}{self.ova.sha256}"

    @property
    def name(self) -> str:
        return f"{self.owner.environment}-{self.owner.stack}-source-{self.ova.sha256[:8]}"

    def config_spec(self, step: str) -> Any:
        """Return the marks of the imported VM as a `vim.vm.ConfigSpec`."""
        marks = {MARK_DOMAIN: SOURCE, MARK_SPEC: self.digest, MARK_STEP: step, MARK_NAME: self.name}
        return marking(self.owner, marks)


def imported_image(vcenter: VCenter, image: ImageImport) -> Any:
    """Import an image unless its VM exists. Returns the `vim.VirtualMachine`.

    Raises `StepError` for a file that is not what its digest says, `VSphereError`, `Stopped`.
    """
    with _importing:
        for vm in marked(vcenter, image.owner.environment_id):
            if vm.marks.get(MARK_SPEC) != image.digest:
                continue
            if vm.marks.get(MARK_STEP) == CONFIGURED:
                return vm.object
            remove(vcenter, vm, image.limit)
        return _import(vcenter, image)


def drop_image(vcenter: VCenter, environment_id: str, digest: str, limit: float) -> None:
    """Remove an imported image that no template was cloned from. Raises `VSphereError`, `Stopped`."""
    with _importing:
        there = marked(vcenter, environment_id)
        if any(vm.marks.get(MARK_SOURCE) == digest for vm in there):
            return
        for vm in there:
            if vm.marks.get(MARK_DOMAIN) == SOURCE and vm.marks.get(MARK_SPEC) == digest:
                remove(vcenter, vm, limit)


def _import(vcenter: VCenter, image: ImageImport) -> Any:
    path = Path(image.ova.ova)
    _check(path, image.ova.sha256, vcenter)
    with _opened(path) as archive:
        spec = _import_spec(vcenter, archive, image)
        lease = image.pool.ImportVApp(spec.importSpec, image.folder)
        vm = _Lease(vcenter, lease, f"importing {path.name}", image.limit).fill(archive, spec)
    marks = image.config_spec(CONFIGURED)
    finish(vcenter, vm.ReconfigVM_Task(marks), "marking", image.name, limit=image.limit)
    return vm


def _check(path: Path, sha256: str, vcenter: VCenter) -> None:
    """Check the image's digest before anything is sent. Raises `StepError`."""
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


def _import_spec(vcenter: VCenter, archive: tarfile.TarFile, image: ImageImport) -> Any:
    ovf = next((member for member in archive.getmembers() if member.name.endswith(".ovf")), None)
    content = archive.extractfile(ovf) if ovf else None
    if content is None:
        raise StepError("the image has no .ovf", code="vsphere.image", hint="take the OVA of the distribution")
    params = vim.OvfManager.CreateImportSpecParams(entityName=image.name, diskProvisioning="thin")
    if network := _network(vcenter, image):
        params.networkMapping = network
    descriptor = content.read().decode()
    result = vcenter.content.ovfManager.CreateImportSpec(descriptor, image.pool, image.datastore, params)
    if result.error:
        message = "; ".join(fault.msg or type(fault).__name__ for fault in result.error)
        raise StepError(f"vCenter does not take the image: {message}", code="vsphere.image", hint="check the OVA")
    mark = image.config_spec(CLONED)
    config = result.importSpec.configSpec
    config.extraConfig = [*(config.extraConfig or []), *mark.extraConfig]
    config.annotation = mark.annotation
    return result


def _network(vcenter: VCenter, image: ImageImport) -> list[Any]:
    """Return the mapping of the image's one network, `VM Network` in RHCOS, to the one that is named."""
    if not image.ova.network:
        return []
    path = absolute(image.ova.network, image.datacenter, "network")
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
        if content is None:
            raise StepError(f"the image's disk {item.path} is no file", code="vsphere.image", hint="fetch it again")
        size = archive.getmember(item.path).size
        host = self.vcenter.access.host
        headers = {"Content-Length": str(size), "Content-Type": "application/x-vnd.vmware-streamVmdk"}
        with httpx.Client(verify=tls.context(self.vcenter.access), timeout=60) as client:
            method = "PUT" if item.create else "POST"
            answer = client.request(
                method, url.replace("*", host), content=self._blocks(content, sent, total), headers=headers
            )
        if answer.is_error:
            message = f"{self.doing}: {host} answered {answer.status_code} to disk {item.path}"
            raise StepError(message, code="vsphere.image", hint="see the import under Recent Tasks in vCenter")
        return sent + size

    def _blocks(self, content: IO[bytes], sent: int, total: int) -> Iterator[bytes]:
        """Yield the disk in blocks. Reports progress after each; `sent` and `total` are bytes of all disks."""
        while block := content.read(BLOCK):
            if self.vcenter.stop.is_set():
                raise Stopped(self.doing)
            yield block
            sent += len(block)
            self._progress(sent * 100 // max(total, 1))

    def _progress(self, percent: int) -> None:
        self.vcenter.say(f"{self.doing}: {percent} %")
        self.lease.HttpNfcLeaseProgress(min(percent, 100))
