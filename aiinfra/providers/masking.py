"""Mask texts that leave a provider with the secrets of their request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aiinfra.engine.wire import Secret, Tree

SHORTEST = 4
"""Characters of a secret at least; masking shorter ones would make every text unreadable."""


def mask(text: str, *trees: Tree) -> str:
    """Return `text` with each secret of `trees` replaced; of multi-line secrets, also the values of their lines."""
    found = {secret for tree in trees for secret in _secrets(tree, inside=False)}
    for secret in sorted(found, key=len, reverse=True):
        text = text.replace(secret, "<secret>")
    return text


def _secrets(tree: Tree, *, inside: bool) -> Iterator[str]:
    match tree:
        case Secret():
            yield from _secrets(tree.value, inside=True)
        case Mapping():
            for value in tree.values():
                yield from _secrets(value, inside=inside)
        case list() | tuple():
            for value in tree:
                yield from _secrets(value, inside=inside)
        case str() | int() | float() if inside and not isinstance(tree, bool):
            yield from _parts(str(tree))


def _parts(secret: str) -> Iterator[str]:
    if len(secret) >= SHORTEST:
        yield secret
    if "\n" in secret:
        values = (line.rpartition(": ")[2].strip(" \"'") for line in secret.splitlines())
        yield from (value for value in values if len(value) >= 12 and "://" not in value)
