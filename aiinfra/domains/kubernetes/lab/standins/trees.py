"""Property trees beside plain objects: comparing inputs, keeping secrets secret, reading back the fields of inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aiinfra.engine.wire import Secret, Tree, Unknown
from aiinfra.providers.marshal import reveal_known


def changed_paths(old: Tree, new: Tree, at: str = "") -> Iterator[str]:
    """Yield the dotted paths that differ; an unknown value differs from everything."""
    if isinstance(old, Secret) or isinstance(new, Secret):
        yield from changed_paths(reveal_known(old), reveal_known(new), at)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            if key in old and key in new:
                yield from changed_paths(old[key], new[key], f"{at}.{key}" if at else key)
            else:
                yield f"{at}.{key}" if at else key
    elif isinstance(new, Unknown) or old != new:
        yield at


def with_secrets_of(value: Any, inputs: Tree) -> Tree:
    """Return `value` with secrets wherever `inputs` has them."""
    if isinstance(inputs, Secret):
        return Secret(value)
    if isinstance(inputs, Mapping) and isinstance(value, Mapping):
        return {key: with_secrets_of(inner, inputs.get(key)) for key, inner in value.items()}
    if isinstance(inputs, list | tuple) and isinstance(value, list) and len(inputs) == len(value):
        return [with_secrets_of(inner, given) for inner, given in zip(value, inputs, strict=True)]
    return value  # type: ignore[no-any-return]  # plain data without secrets


def matching_fields(live: Any, inputs: Tree) -> Tree:
    """Return the fields of `live` that `inputs` has; a list whose length changed is returned whole."""
    if isinstance(inputs, Secret):
        return Secret(matching_fields(live, inputs.value))
    if isinstance(inputs, Mapping) and isinstance(live, Mapping):
        return {key: matching_fields(live[key], value) for key, value in inputs.items() if key in live}
    if isinstance(inputs, list | tuple) and isinstance(live, list) and len(inputs) == len(live):
        return [matching_fields(value, given) for value, given in zip(live, inputs, strict=True)]
    return live  # type: ignore[no-any-return]  # plain data
