"""Resolve references and secret sources to property trees. Pure, apart from the readers that are passed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from aiinfra.engine.wire import UNKNOWN, Secret, Tree, Unknown
from aiinfra.stack import Ref, SecretSource


def drill(tree: Tree, path: Sequence[str]) -> Tree:
    """Return the part of `tree` at `path`: a part of a secret is secret, a part of an unknown is unknown.

    Raises `KeyError` with the dotted path when a known record has no such field.
    """
    for number, name in enumerate(path):
        if isinstance(tree, Unknown):
            return UNKNOWN
        if isinstance(tree, Secret):
            inner = drill(tree.value, path[number:])
            return inner if isinstance(inner, Secret | Unknown) else Secret(inner)
        if not isinstance(tree, Mapping) or name not in tree:
            raise KeyError(".".join(path))
        tree = tree[name]
    return tree


def resolver(
    outputs: Callable[[str], Mapping[str, Tree]], secret: Callable[[SecretSource], Tree]
) -> Callable[[Ref | SecretSource], Tree]:
    """Return a resolver of references and secret sources over the outputs of stacks and a reader of secrets."""

    def resolve(unresolved: Ref | SecretSource) -> Tree:
        if isinstance(unresolved, SecretSource):
            return secret(unresolved)
        return drill(outputs(unresolved.stack), unresolved.output)

    return resolve
