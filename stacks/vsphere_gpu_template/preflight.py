"""What is asked of a vCenter before a template is made, and the judgement. Imported when one is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from aiinfra.stack import Finding
from aiinfra.vsphere.checks import judge
from aiinfra.vsphere.readings import Site, SiteWanted
from aiinfra.vsphere.request import Request, request_of
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


def _requests(inputs: GpuTemplateInputs) -> list[Request]:
    flags = {
        "guest_driver": inputs.guest_driver,
        "manage_hosts": inputs.manage_hosts,
        "power_on": inputs.verify == "power_on",
    }
    return [request_of(NOBODY, wanted(inputs, name, place), **flags) for name, place in places(inputs).items()]
