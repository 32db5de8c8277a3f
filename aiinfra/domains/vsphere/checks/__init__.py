"""Judges what was observed of a vCenter by what a template needs. Pure: facts in, findings out."""

from aiinfra.domains.vsphere.checks.judge import judge
from aiinfra.domains.vsphere.hosts.claims import OtherStack

__all__ = ["OtherStack", "judge"]
