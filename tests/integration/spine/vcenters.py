"""Environments on real targets whose vCenters are simulated, each a process of its own; they are asked what stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyVmomi import vim

from aiinfra.domains.vsphere.lab.block import LabVCenter
from tests.integration.spine.site import Site
from tests.integration.spine.vsphere_site import template
from tests.integration.vcenter.client import PASSWORD, USER, Simulator, simulator

SOURCE = "rhcos (template)"
WHOLE = LabVCenter()


@contextmanager
def vcenter(program: Path, folder: Path, spec: LabVCenter = WHOLE) -> Iterator[Simulator]:
    folder.mkdir()
    with simulator(program, folder, spec) as started:
        yield started


def block(simulated: Simulator, **changes: Any) -> dict[str, Any]:
    """How it is reached."""
    own = {"host": "127.0.0.1", "port": simulated.ready["port"], "user": USER, "password": "${env:VCENTER_PASSWORD}"}
    trust = {} if changes.keys() & {"ca", "insecure"} else {"fingerprint": simulated.ready["fingerprint"]}
    return {**own, **trust, **changes}


def knowing(site: Site, password: str = PASSWORD) -> Site:
    """The site with the password in its environment."""
    return Site(site.folder, {**site.environ, "VCENTER_PASSWORD": password}, site.environment)


def vms(simulated: Simulator) -> list[str]:
    """Names of all VMs and templates; templates say so."""
    found = simulated.all(vim.VirtualMachine)
    return sorted(f"{vm.name}{' (template)' if vm.config.template else ''}" for vm in found)


def in_vcenter(simulated: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A stack of one template with a `vcenter` block of its own."""
    return template(vcenter=dict(simulated), **changes)
