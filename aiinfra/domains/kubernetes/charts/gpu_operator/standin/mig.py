"""The slices that the MIG manager makes of a node's GPUs, as its label asks. Pure.

NVIDIA/mig-parted deployments/gpu-operator: `all-1g.5gb` puts as many slices of one profile on each GPU as fit. Other
configurations, such as `all-balanced`, leave the GPUs whole here.
"""

from __future__ import annotations

import re
from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.lab.controllers.hardware import Hardware
from aiinfra.domains.kubernetes.lab.controllers.view import Object, labels

CONFIG: Final = "nvidia.com/mig.config"


@dataclass(frozen=True, slots=True)
class Slices:
    """What all GPUs of one node are cut into."""

    profile: str = ""
    """`1g.5gb`."""
    count: int = 0
    """On the whole node; 0 while its GPUs are whole."""


WHOLE: Final = Slices()
_ALL_OF = re.compile(r"all-(?P<profile>(?P<compute>\d)g\.\d+gb)")


def slices(node: Object, machine: Hardware) -> Slices:
    """What the label of the node asks for, where its GPUs can be cut so; else `WHOLE`."""
    found = _ALL_OF.fullmatch(labels(node).get(CONFIG, ""))
    if found is None or machine.gpu is None or not machine.gpu.mig_capable:
        return WHOLE
    each = machine.gpu.mig_slices // max(1, int(found["compute"]))
    return Slices(found["profile"], each * machine.gpus) if each else WHOLE


def configured(node: Object, machine: Hardware) -> bool:
    """Whether the GPUs are as the label asks."""
    return labels(node).get(CONFIG) == "all-disabled" or slices(node, machine).count > 0
