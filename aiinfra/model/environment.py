"""An environment file as a typed value.

Three parts are typed elsewhere: the inputs of stacks, whose types the catalogue knows; the blocks of domains; and
`lab:`, which most files lack and whose models take as long to load as all others.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from aiinfra.model.state_url import KEY_SERVICES, PASSPHRASE, STATES, validate_seal, validate_state_url
from aiinfra.stack import StackName

STACK_NAME = r"^[a-z][a-z0-9_-]{0,39}$"
ENVIRONMENT_NAME = r"^[a-z][a-z0-9-]{0,39}$"


class UserModel(BaseModel):
    """What a person writes: strict, frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def url_pattern(schemes: tuple[str, ...], otherwise: str) -> Any:
    """Return a field whose JSON Schema lets editors check a URL."""
    return Field(json_schema_extra={"pattern": f"^({otherwise}|({'|'.join(schemes)})://.+)$"})


class StateSpec(UserModel):
    """Where Pulumi's state is kept, and what seals the secrets in it."""

    url: Annotated[str, AfterValidator(validate_state_url), url_pattern(STATES, "")] = ""
    """A backend URL: `file://`, `s3://`, `gs://`, `azblob://`. In a lab it is the lab's own folder.

    A relative `file://` path starts at the environment file's folder.
    """
    secrets: Annotated[str, AfterValidator(validate_seal), url_pattern(KEY_SERVICES, PASSPHRASE)] = PASSPHRASE
    """`passphrase` (from PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE) or the URL of a key service."""


class StackEntry(UserModel):
    """One entry under `stacks:`: its kind, what only order demands, and the inputs of its kind."""

    kind: str
    depends_on: tuple[Annotated[str, Field(pattern=STACK_NAME)], ...] = ()
    """Stacks that must be up before, though no value of theirs is used."""
    inputs: Mapping[str, Any] = Field(default_factory=dict, exclude=True)
    """A `Tree`: literals, with `Ref` and `SecretSource` as leaves."""


class Environment(UserModel):
    """One environment."""

    version: Literal["v1"]
    """Version of this file format."""
    name: Annotated[str, Field(pattern=ENVIRONMENT_NAME)]
    """The stem of the file's name."""
    target: Literal["real", "lab"] = "real"
    """`lab` swaps the outside world for simulated one on this machine."""
    state: StateSpec = StateSpec()
    blocks: Mapping[str, Any] = Field(default_factory=dict, exclude=True)
    """The blocks of domains that the file has, by their top-level keys: each of the model that its domain names."""
    lab: Any = Field(default_factory=dict)
    """The simulated world; read when the target is a lab."""
    stacks: Annotated[dict[Annotated[StackName, Field(pattern=STACK_NAME)], StackEntry], Field(min_length=1)]
