"""`charts:` of an environment file: where charts and images come from."""

import re
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from aiinfra.domains.kubernetes.fields import KubernetesName
from aiinfra.stack import Input

FIELD: Final = "charts"
"""The input by which a kind takes the file's block."""
REMOTE: Final = re.compile(r"(oci|https?)://")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_REGISTRY = re.compile(r"[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9._/-]+)?")


def _sourced(value: Any) -> Any:
    if isinstance(value, str) and value:
        raise ValueError("stands in clear here; write ${env:NAME} or ${file:PATH}")
    return value


def _registry(text: str) -> str:
    if text and not _REGISTRY.fullmatch(text):
        raise ValueError(
            "wants the host of a registry, and a path in it or none, without https://: registry.corp/nvidia"
        )
    return text.rstrip("/")


def wrong_place(text: str) -> tuple[str, str] | None:
    """Return what is wrong with a place of charts, and what to write; None for nothing."""
    scheme = _SCHEME.match(text)
    if scheme and not REMOTE.match(text):
        return f"charts do not come by {scheme[1]}://", "write oci://…, https://…, or a path"
    if scheme and "@" in text[scheme.end() :].partition("/")[0]:
        return "an account stands in this address", "write charts.credentials, with the password as ${env:NAME}"
    return None


def _place(text: str) -> str:
    if wrong := wrong_place(text):
        raise ValueError("; ".join(wrong))
    return text


Password = Annotated[Input[str], AfterValidator(_sourced)]
"""A secret source: never a password itself."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Credentials(_Model):
    """An account of a registry or repository."""

    user: Input[str]
    password: Password
    """`${env:NAME}` or `${file:PATH}`."""


class Images(_Model):
    """Where the images of charts come from."""

    registry: Annotated[str, AfterValidator(_registry)] = ""
    """Takes the place of the first part of every image that a chart names: with `registry.corp`,
    `nvcr.io/nvidia/driver` is `registry.corp/nvidia/driver`."""
    pull_secrets: tuple[KubernetesName, ...] = ()
    """Secrets in the namespaces of the charts with which nodes pull."""
    credentials: Credentials | None = None
    """An account from which each stack makes such a Secret itself, `aiinfra-registry`. Needs `registry`."""

    @model_validator(mode="after")
    def _of_a_registry(self) -> Self:
        if self.credentials and not self.registry:
            raise ValueError("credentials belong to no registry; write registry too")
        return self


class ChartSources(_Model):
    """Where charts and their images come from."""

    mirror: Annotated[str, AfterValidator(_place)] = ""
    """Has all charts by their names: `oci://…`, `https://…`, or a folder of archives (`aiinfra charts mirror` fills
    one). A relative folder starts at the environment file's."""
    credentials: Credentials | None = None
    """An account of the mirror, and of each `chart:` that is not a path. The charts' official sources never see it."""
    ca: str = ""
    """A PEM file with the authorities of the mirror, besides the system's."""
    images: Images = Images()


NOTHING: Final = ChartSources()
