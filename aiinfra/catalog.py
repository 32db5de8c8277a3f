"""The kinds and the domains that are installed, ours and those of other packages."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Collection, Mapping
from functools import cache, partial
from typing import Any, cast

from aiinfra.domain import Block, Domain, for_token, load
from aiinfra.error_codes import CODES
from aiinfra.errors import ConfigError
from aiinfra.registry import OURS, Registry, Sort
from aiinfra.stack import StackType

__all__ = ["OURS", "Catalog", "Kind", "blocks", "domain_of", "domains", "domains_of", "error_codes"]

Kind = StackType[Any, Any]
_KINDS: Sort[Kind] = Sort("kind", "aiinfra.stacks", StackType, lambda kind: kind.kind)
_DOMAINS = Sort("domain", "aiinfra.domains", Domain, lambda domain: domain.name)


class Catalog(Registry[Kind]):
    """The kinds, by name."""

    @classmethod
    def of(cls, *kinds: Kind) -> Catalog:
        return cls("kind", ((kind.kind, OURS, partial(_identity, kind)) for kind in kinds))

    @classmethod
    def installed(cls) -> Catalog:
        """Return the catalog of all installed kinds."""
        from stacks import KINDS

        return cast("Catalog", cls.collect(_KINDS, ((name, partial(_kind, name)) for name in KINDS)))


def domains() -> Registry[Domain]:
    """Return the installed domains, by name."""
    return _domains(tuple(dict.fromkeys(sys.path)))


@cache
def _domains(path: tuple[str, ...]) -> Registry[Domain]:
    """Collect the domains once for each search path."""
    from aiinfra.domains import DOMAINS

    return Registry.collect(_DOMAINS, ((name, partial(_domain, name)) for name in DOMAINS))


def blocks() -> Mapping[str, Block]:
    """Return the blocks of the environment file that the installed domains bring, by key.

    Raises `ConfigError` `catalog.duplicate` when two of them have one key.
    """
    found: dict[str, tuple[str, Block]] = {}
    for name, domain in domains().items():
        if domain.block is None:
            continue
        if domain.block.key in found:
            other = found[domain.block.key][0]
            raise ConfigError(
                f"the key {domain.block.key} belongs to the domain {other} and to the domain {name}",
                code="catalog.duplicate",
                where=domain.block.key,
                hint="uninstall one of them",
            )
        found[domain.block.key] = name, domain.block
    return {key: block for key, (_, block) in found.items()}


def domains_of(kinds: Collection[Kind]) -> Mapping[str, Domain]:
    """Return the domains of these kinds, in the order of the list. Raises `ConfigError` for an unknown one."""
    installed = domains()
    for kind in kinds:
        if missing := [name for name in kind.domains if name not in installed]:
            raise ConfigError(
                f"the kind {kind.kind} works in the domain {missing[0]}, which is not installed",
                code="catalog.broken_package",
                where=kind.kind,
                hint=f"see domains= of its StackType; installed are {', '.join(installed)}",
            )
    used = {name for kind in kinds for name in kind.domains}
    return {name: domain for name, domain in installed.items() if name in used}


def domain_of(token: str) -> str:
    """Return the name of the domain that resources of a type belong to, or ""."""
    for name, domain in domains().items():
        if token in domain.resources:
            return name
    shown = {each: name for name, domain in domains().items() for each in domain.documents}
    return for_token(shown, token) or ""


def error_codes() -> Mapping[str, str]:
    """Return every error code with its meaning: the kernel's and those of the installed domains."""
    found = dict(CODES)
    for domain in domains().values():
        found |= load(domain.error_codes) if domain.error_codes else {}
    return found


def _identity(kind: Kind) -> Kind:
    return kind


def _kind(name: str) -> Kind:
    return cast("Kind", importlib.import_module(f"stacks.{name}").STACK)


def _domain(name: str) -> Domain:
    return cast("Domain", importlib.import_module(f"aiinfra.domains.{name}").DOMAIN)
