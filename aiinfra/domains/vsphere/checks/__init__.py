"""Judges what a vCenter told of itself against what a template needs. Pure: facts in, findings out."""

from aiinfra.domains.vsphere.checks.judge import judge
from aiinfra.domains.vsphere.checks.wanted import WantedVm

__all__ = ["WantedVm", "judge"]
