"""The contract of a domain: an outside world that kinds build in, such as a Kubernetes cluster or a vCenter.

A domain is a folder `aiinfra/domains/<name>/` (or a package with an entry point in the group `aiinfra.domains`) whose
`__init__.py` holds `DOMAIN = Domain(...)`. It says what the domain brings; everything heavy is named as
`package.module:attribute` and imported when it is used, so that commands that only read stay fast.

The rest of aiinfra knows domains through this module, `domain_run.py` (what a domain does for a run) and
`domain_lab.py` (what it does for a lab) alone. None of them imports Pulumi or a client of any world.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import field
from typing import Any, TypeVar

from aiinfra.dataclass import dataclass
from aiinfra.errors import ConfigError

T = TypeVar("T")


def load(target: str) -> Any:
    """Return the attribute that `package.module:attribute` names. Raises `ConfigError` `catalog.broken_package`."""
    module, _, attribute = target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"{target} cannot be loaded: {error}",
            code="catalog.broken_package",
            where=target,
            hint="see the Domain that names it",
        ) from error


def for_token(entries: Mapping[str, T], token: str) -> T | None:
    """Return the entry of a type token: its own, else that of its longest prefix that ends in `:`."""
    if token in entries:
        return entries[token]
    found = [prefix for prefix in entries if prefix.endswith(":") and token.startswith(prefix)]
    return entries[max(found, key=len)] if found else None


@dataclass(frozen=True, slots=True)
class Block:
    """A domain's top-level block of the environment file, and the input of the same name of its kinds.

    A kind that has an input with this name takes the file's block when its entry gives none.
    """

    key: str
    """`vcenter`."""
    model: str
    """`package.module:Model`, a pydantic model."""
    in_lab: Mapping[str, Any]
    """What replaces the block in a lab: every field, so that no value of a real one remains. Empty: it stays as it is,
    as a lab uses the same."""
    headline: str = ""
    """How the headline of a plan names it, with fields of the model that are texts: `vCenter {host}`. Empty: not at
    all."""


@dataclass(frozen=True, slots=True)
class Domain:
    """One outside world. Strings name what is loaded when it is used."""

    name: str
    """`vsphere`; kinds name it in `StackType.domains`."""
    summary: str
    """One line: `VMware vCenter and its ESXi hosts`."""
    block: Block | None = None
    connections: str = ""
    """`package.module:Class`: made without arguments once for each provider process, has `close()`; the first argument
    of each handler. Empty: handlers get None."""
    resources: Mapping[str, str] = field(default_factory=dict)
    """By type token `aiinfra:vsphere:GpuTemplate`, what makes its handler: `package.module:function`, called with
    `(connections, patience)`. Patience is in seconds: how long a root cause may last before a wait ends."""
    documents: Mapping[str, str] = field(default_factory=dict)
    """By type token, or by a prefix of it that ends in `:`, how `render` shows a resource: `package.module:function`,
    called with a `ShownResource` of `aiinfra.render.document`; it returns `Document`s. A token of an official provider
    that is listed here belongs to the domain."""
    previews: Mapping[str, str] = field(default_factory=dict)
    """By type token or prefix, the outputs of a resource before it exists: `package.module:function`, called with its
    inputs; it returns them with what the world would add, as unknown. A resource without an entry is its inputs."""
    packages: tuple[str, ...] = ()
    """Packages whose code decides what its resources do; their digest is a part of that of each stack that uses it."""
    error_codes: str = ""
    """`package.module:CODES`: a mapping from each error code of the domain to its meaning."""
    tools: str = ""
    """`package.module:TOOLS`: programs that the toolchain builds for it (`aiinfra.toolchain.table.Tool`)."""
    world: str = ""
    """`package.module:WORLD`: an object with any of the protocols of `domain_run.py`, asked by `isinstance`."""
    lab: str = ""
    """`package.module:LAB`: a `LabDomain` of `domain_lab.py`."""
