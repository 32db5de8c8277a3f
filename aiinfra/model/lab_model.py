"""The base of the models below `lab:`."""

from pydantic import BaseModel, ConfigDict


class LabModel(BaseModel):
    """A strict, frozen model of a part of `lab:`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
