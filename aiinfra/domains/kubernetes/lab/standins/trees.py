"""Property trees beside plain objects: comparing inputs, keeping secrets secret, reading back what was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aiinfra.engine.wire import Secret, Tree, Unknown
from aiinfra.providers.marshal import reveal_known


def changed(old: Tree, new: Tree, at: str = "") -> Iterator[str]:
    """Dotted paths that differ; an unknown value differs from everything."""
    if isinstance(old, Secret) or isinstance(new, Secret):
        yield from changed(reveal_known(old), reveal_known(new), at)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            if key in old and key in new:
                yield from changed(old[key], new[key], f"{at}.{key}" if at else key)
            else:
                yield f"{at}.{key}" if at else key
    elif isinstance(new, Unknown) or old != new:
        yield at


def keeping_secrets(value: Any, inputs: Tree) -> Tree:
    """`value` with secrets wherever `inputs` has them."""
    if isinstance(inputs, Secret):
        return Secret(value)
    if isinstance(inputs, Mapping) and isinstance(value, Mapping):
        return {key: keeping_secrets(inner, inputs.get(key)) for key, inner in value.items()}
    if isinstance(inputs, list | tuple) and isinstance(value, list) and len(inputs) == len(value):
        return [keeping_secrets(inner, wanted) for inner, wanted in zip(value, inputs, strict=True)]
    return value  # type: ignore[no-any-return]  # plain data without secrets


def as_asked(live: Any, asked: Tree) -> Tree:
    """Of `live` what `asked` names: a list is compared as a whole when its length changed."""
    if isinstance(asked, Secret):
        return Secret(as_asked(live, asked.value))
    if isinstance(asked, Mapping) and isinstance(live, Mapping):
        return {key: as_asked(live[key], value) for key, value in asked.items() if key in live}
    if isinstance(asked, list | tuple) and isinstance(live, list) and len(asked) == len(live):
        return [as_asked(value, wanted) for value, wanted in zip(live, asked, strict=True)]
    return live  # type: ignore[no-any-return]  # plain data
