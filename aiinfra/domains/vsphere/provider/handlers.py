"""Makers of the handlers of our resources in vCenters. Each imports its module when its first resource comes."""

from __future__ import annotations

from aiinfra.domains.vsphere.provider.vcenters import VCenters
from aiinfra.providers.contract import ResourceHandler


def gpu_template(vcenters: VCenters, patience: float) -> ResourceHandler:
    from aiinfra.domains.vsphere.provider.gpu_template import GpuTemplate

    return GpuTemplate(vcenters)
