"""What each figure may be, and the floor that it stands on: the least that its work costs without aiinfra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PYTHON: Final = "floor: python"
LIBRARIES: Final = "floor: import typer, pydantic, ruamel.yaml"
PULUMI: Final = "floor: import pulumi"
PYVMOMI: Final = "floor: import pyVmomi"
KUBECTL: Final = "kubectl"
TERRAFORM: Final = "terraform"


def bare(verb: str, number: int) -> str:
    """The same stacks by the engine host and Pulumi's SDK alone."""
    return f"floor: engine host, {verb} of {number} stacks"


@dataclass(frozen=True, slots=True)
class Goal:
    """Seconds of wall time on two idle cores, and the name of the floor."""

    budget: float | None
    floor: str = ""


GOALS: Final[Mapping[str, Goal]] = {
    "--version": Goal(0.05, PYTHON),
    "--help": Goal(0.10, PYTHON),
    "validate, 20 stacks": Goal(0.15, LIBRARIES),
    "plan, 20 stacks": Goal(0.15, LIBRARIES),
    "up unchanged, 20 stacks": Goal(0.4, LIBRARIES),
    "up --no-skip, 20 stacks": Goal(0.9, bare("second up", 20)),
    "first up, 20 stacks": Goal(1.0, bare("first up", 20)),
    "first up, 100 stacks": Goal(None, bare("first up", 100)),
    "first up, 300 stacks": Goal(12.0, bare("first up", 300)),
    "lab control plane ready": Goal(5.0),
    "read a vCenter of 100 hosts, 800 cards, 2000 VMs": Goal(3.0, PYVMOMI),
    "up, 8 templates whose clones take 5 s": Goal(None, "up, 1 template whose clone takes 5 s"),
    "up lab unchanged": Goal(0.5, LIBRARIES),
    "apply 100 objects": Goal(0.5, f"{KUBECTL} apply 100"),
    "apply 100 objects again": Goal(0.3, f"{KUBECTL} apply 100 again"),
    "apply 1000 objects": Goal(3.0, f"{KUBECTL} apply 1000"),
    "apply 1000 objects again": Goal(1.5, f"{KUBECTL} apply 1000 again"),
}
OVERHEAD: Final = 10.0
"""Milliseconds of CPU for each stack, beyond the floor."""
MEMORY: Final = 300.0
"""MiB that the command and the engine host may hold together; the lab counts apart."""
