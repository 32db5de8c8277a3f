"""Requests to the engine host and its results, as values. Pure.

The protocol is in `host/PROTOCOL.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from aiinfra.dataclass import dataclass
from aiinfra.engine.wire import Tree, decode
from aiinfra.report.run import Verb


@dataclass(frozen=True, slots=True)
class HostSettings:
    """Settings of the environment that the host works for."""

    backend_url: str
    project: str
    secrets: str
    """`passphrase`, or the URL of a key service (`awskms://…`)."""
    passphrase: str | None = field(repr=False)
    """None only with a key service."""
    providers: Mapping[str, int]
    """Ports on 127.0.0.1 of the providers that this process serves, by package name."""
    pulumi_home: Path
    environ: Mapping[str, str] = field(repr=False)
    """The host's whole environment: an allow-list."""
    official_plugins: bool = False
    """When False, a provider that is not in `providers` is refused by name."""
    parallel: int = 0
    """How many resources of one stack are worked on at once; 0 is the host's default."""

    def as_json(self) -> dict[str, object]:
        return {
            "backend": self.backend_url,
            "project": self.project,
            "secrets": self.secrets,
            "passphrase": self.passphrase,
            "attached": dict(self.providers),
            "pulumi_home": str(self.pulumi_home),
            "official_plugins": self.official_plugins,
            "parallel": self.parallel,
        }


@dataclass(frozen=True, slots=True)
class ImportedResource:
    """An existing resource that a stack takes over."""

    type: str
    name: str
    id: str
    parent: str = ""
    provider: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One Pulumi operation on one stack."""

    verb: Verb
    stack: str
    program: str = ""
    """Address of the LanguageRuntime server that runs the stack's program; "" for refresh and destroy."""
    refresh: bool = False
    """Read the world before an update."""
    parallel: int = 0
    hidden: Sequence[str] = field(default=(), repr=False)
    """Secrets to mask in messages of the operation, in addition to those that its resources hold."""
    limit: float = 0
    """Seconds that a plugin may take for one resource, ours excepted, which has limits of its own; 0: for ever."""
    resources: Sequence[ImportedResource] = ()
    """When not empty, these are imported instead of running `verb`."""

    def as_json(self) -> dict[str, object]:
        return {
            "op": "import" if self.resources else self.verb.value,
            "stack": self.stack,
            "program": self.program,
            "refresh": self.refresh,
            "parallel": self.parallel,
            "hidden": list(self.hidden),
            "limit": self.limit,
            "resources": [
                {
                    "type": r.type,
                    "name": r.name,
                    "id": r.id,
                    "parent": r.parent,
                    "provider": r.provider,
                    "version": r.version,
                }
                for r in self.resources
            ],
        }


@dataclass(frozen=True, slots=True)
class FailedResource:
    urn: str
    message: str


@dataclass(frozen=True, slots=True)
class OperationResult:
    """How an operation ended. A failure is a result too, not an exception."""

    changes: Mapping[str, int]
    """Number of resources by operation: `{"create": 3}`; the stack itself counts as one."""
    outputs: Mapping[str, Tree]
    """After `up`, `refresh` and `destroy` the outputs in the state; after `preview` those that are known."""
    error: str = ""
    """The first error; empty when there was none."""
    code: str = ""
    """Empty on success, else `failed`, `interrupted`, `locked`, `busy`, `passphrase`, `key_service`, `panic`,
    `damaged`, `state` or `bad_request`."""
    interrupted: bool = False
    failed_resources: Sequence[FailedResource] = ()
    resources: int = 0
    """How many resources the state holds now, the stack itself and providers included."""

    @property
    def error_urn(self) -> str:
        """The resource that failed first; empty when none did."""
        return self.failed_resources[0].urn if self.failed_resources else ""

    @classmethod
    def of(cls, reply: Mapping[str, Any]) -> Self:
        result, error = reply.get("result") or {}, reply.get("error") or {}
        return cls(
            changes=result.get("changes") or {},
            outputs=tree_map(result.get("outputs")),
            error=error.get("message", ""),
            code=error.get("code", ""),
            interrupted=bool(result.get("interrupted")),
            failed_resources=tuple(FailedResource(**one) for one in result.get("failed") or ()),
            resources=result.get("resources", 0),
        )


@dataclass(frozen=True, slots=True)
class StackLock:
    """Pulumi's lock of one stack."""

    stack: str
    pid: int
    host: str
    user: str
    since: datetime


@dataclass(frozen=True, slots=True)
class PendingOperation:
    """An operation on a resource whose outcome the state does not record."""

    urn: str
    operation: str
    """`creating`, `updating`, `deleting`, `reading`, `importing`."""


def tree_map(raw: Any) -> Mapping[str, Tree]:
    decoded = decode(raw or {})
    assert isinstance(decoded, dict)
    return decoded
