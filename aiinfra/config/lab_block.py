"""`lab:` of an environment file: the simulated world. Each domain has one key there, and a model of its own for it.

Hardware is described, never its consequences: labels, allocatable GPUs and states follow from what operators do.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pydantic import create_model

from aiinfra.catalog import domains
from aiinfra.domain import load
from aiinfra.model.lab_model import LabModel

if TYPE_CHECKING:
    from aiinfra.model.environment import Environment


@cache
def lab_model() -> type[LabModel]:
    """Return the model of `lab:`: a field for each domain that is installed and can be simulated; all have defaults."""
    simulated = [load(domain.lab) for domain in domains().values() if domain.lab]
    fields = {lab.key: load(lab.model)() for lab in simulated}
    return create_model("LabSpec", __base__=LabModel, **fields)


def lab_spec(environment: Environment) -> LabModel:
    """Return the simulated world that a checked environment describes."""
    return lab_model().model_validate(environment.lab)
