"""The provider `aiinfra`: the resource types of the domains that are installed, and what answers for each."""

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
"""Seconds for which a broken root must be seen unchanged before a wait for it is given up."""

Make = Callable[[], ResourceHandler]


class Handlers(Mapping[str, ResourceHandler]):
    """By type token, thread-safe; each is made, and its module imported, when the first resource of its type comes."""

    def __init__(self, makers: Mapping[str, Make]) -> None:
        self._makers = makers
        self._made: dict[str, ResourceHandler] = {}
        self._lock = threading.Lock()

    def __getitem__(self, token: str) -> ResourceHandler:
        make = self._makers[token]
        with self._lock:
            if token not in self._made:
                self._made[token] = make()
            return self._made[token]

    def __contains__(self, token: object) -> bool:
        return token in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


class DomainConnections:
    """What the handlers of one domain share, made when the first of them is."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._made: Any = None

    def handler(self, target: str, patience: float) -> ResourceHandler:
        """The handler that `target` of the domain's `resources` makes. One call at a time."""
        if self._made is None and self._domain.connections:
            self._made = load(self._domain.connections)()
        return cast("ResourceHandler", load(target)(self._made, patience))

    def close(self) -> None:
        if self._made is not None:
            self._made.close()


def spec(patience: float = PATIENCE) -> ProviderSpec:
    """The provider. Raises `ConfigError` `catalog.duplicate` when two domains have a resource type of one name."""
    makers: dict[str, Make] = {}
    connections = {name: DomainConnections(domain) for name, domain in domains().items()}
    for name, domain in domains().items():
        if twice := sorted(domain.resources.keys() & makers.keys()):
            raise ConfigError(
                f"the resource type {twice[0]} of the domain {name} is that of another domain too",
                code="catalog.duplicate",
                where=twice[0],
                hint="uninstall one of them",
            )
        makers |= {
            token: partial(connections[name].handler, target, patience) for token, target in domain.resources.items()
        }

    def close() -> None:
        for each in connections.values():
            each.close()

    return ProviderSpec("aiinfra", __version__, Handlers(makers), close=close)
