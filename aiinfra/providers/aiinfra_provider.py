"""The provider `aiinfra`: the resource types of the installed domains and their handlers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, cast

from aiinfra import __version__
from aiinfra.catalog import domains
from aiinfra.domain import Domain, load
from aiinfra.errors import ConfigError
from aiinfra.providers.contract import ProviderSpec, ResourceHandler

PATIENCE = 300.0
"""Seconds for which the same broken root cause is tolerated before a wait ends."""

HandlerFactory = Callable[[], ResourceHandler]


class Handlers(Mapping[str, ResourceHandler]):
    """Handlers by type token. Thread-safe; each is created, and its module imported, with its first resource."""

    def __init__(self, factories: Mapping[str, HandlerFactory]) -> None:
        self._factories = factories
        self._made: dict[str, ResourceHandler] = {}
        self._lock = threading.Lock()

    def __getitem__(self, token: str) -> ResourceHandler:
        factory = self._factories[token]
        with self._lock:
            if token not in self._made:
                self._made[token] = factory()
            return self._made[token]

    def __contains__(self, token: object) -> bool:
        return token in self._factories

    def __iter__(self) -> Iterator[str]:
        return iter(self._factories)

    def __len__(self) -> int:
        return len(self._factories)


class DomainConnections:
    """The connections that the handlers of one domain share, created with the first handler."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._made: Any = None

    def handler(self, target: str, patience: float) -> ResourceHandler:
        """Return a new handler from `target` of the domain's `resources`. Not to be called concurrently."""
        if self._made is None and self._domain.connections:
            self._made = load(self._domain.connections)()
        return cast("ResourceHandler", load(target)(self._made, patience))

    def close(self) -> None:
        if self._made is not None:
            self._made.close()


def spec(patience: float = PATIENCE) -> ProviderSpec:
    """Return the provider. Raises `ConfigError` `catalog.duplicate` when two domains have the same resource type."""
    factories: dict[str, HandlerFactory] = {}
    connections = {name: DomainConnections(domain) for name, domain in domains().items()}
    for name, domain in domains().items():
        if twice := sorted(domain.resources.keys() & factories.keys()):
            raise ConfigError(
                f"the resource type {twice[0]} of the domain {name} is that of another domain too",
                code="catalog.duplicate",
                where=twice[0],
                hint="uninstall one of them",
            )
        factories |= {
            token: partial(connections[name].handler, target, patience) for token, target in domain.resources.items()
        }

    def close() -> None:
        for each in connections.values():
            each.close()

    return ProviderSpec("aiinfra", __version__, Handlers(factories), close=close)
