"""Every program that aiinfra runs beside itself: the engine host, and what the installed domains bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from aiinfra.errors import ConfigError
from aiinfra.toolchain.table import ENGINE, Tool


class InstalledTools(Mapping[str, Tool]):
    """By name, in the order of the domains. The engine host is found without asking any domain.

    Raises `ConfigError` `catalog.duplicate` when two domains bring programs of one name.
    """

    def __getitem__(self, name: str) -> Tool:
        return ENGINE if name == ENGINE.name else self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @cached_property
    def _all(self) -> Mapping[str, Tool]:
        from aiinfra.catalog import domains
        from aiinfra.domain import load

        found = {ENGINE.name: ENGINE}
        for name, domain in domains().items():
            brought: Mapping[str, Tool] = load(domain.tools) if domain.tools else {}
            if twice := sorted(found.keys() & brought.keys()):
                raise ConfigError(
                    f"the program {twice[0]} of the domain {name} is brought by another domain too",
                    code="catalog.duplicate",
                    where=twice[0],
                    hint="uninstall one of them",
                )
            found |= brought
        return found


TOOLS = InstalledTools()
