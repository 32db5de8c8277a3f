"""What all parts of `lab:` have in common."""

from pydantic import BaseModel, ConfigDict


class LabModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
