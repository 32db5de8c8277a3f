"""Judges what was read of a vCenter against what a template needs. Pure: facts in, findings out."""

from aiinfra.domains.vsphere.checks.judge import judge

__all__ = ["judge"]
