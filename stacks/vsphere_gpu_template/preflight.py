"""What is asked of a vCenter before a template is made, and the judgement. Imported when one is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from aiinfra.domains.vsphere.checks import judge
from aiinfra.domains.vsphere.reading.observed import Site, SiteWanted
from aiinfra.domains.vsphere.template.mmio import SOURCE as MMIO_SOURCE
from aiinfra.domains.vsphere.template.request import Request, request_of
from aiinfra.domains.vsphere.template.resolving import resolve
from aiinfra.errors import StepError
from aiinfra.stack import Finding
from stacks.vsphere_gpu_template.spec import GpuTemplateInputs
from stacks.vsphere_gpu_template.wanted import places, wanted

NOBODY: Final = {"environment": "", "environment_id": "", "stack": ""}
"""Whose template it is makes no difference to a site."""


def sites(inputs: GpuTemplateInputs) -> list[SiteWanted]:
    """One for each failure domain, in the order of names."""
    return [request.site() for request in _requests(inputs)]


def judged(inputs: GpuTemplateInputs, read: Sequence[Site]) -> Iterator[Finding]:
    """`read`: the sites, in the order of `sites`."""
    for request, site in zip(_requests(inputs), read, strict=False):
        yield from judge(site, request.vm())
        yield from _explained(request, site)


def _explained(request: Request, site: Site) -> Iterator[Finding]:
    """Why the template gets the profile, the MMIO space and the placement that it gets; nothing when it gets none."""
    about = f"the template of {request.failure_domain}" if request.failure_domain else "the template"
    try:
        told = resolve(request, site)
    except StepError:
        return
    for sentence in told.explained:
        yield Finding("ok", about, sentence, "to be chosen and computed", "", MMIO_SOURCE, "vsphere.template")


def _requests(inputs: GpuTemplateInputs) -> list[Request]:
    flags = {
        "guest_driver": inputs.guest_driver,
        "manage_hosts": inputs.manage_hosts,
        "wait_for_mig": inputs.wait_for_host_mig,
        "power_on": inputs.verify == "power_on",
    }
    return [request_of(NOBODY, wanted(inputs, name, place), **flags) for name, place in places(inputs).items()]
