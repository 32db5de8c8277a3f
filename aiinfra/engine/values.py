"""From late values (references, secret sources) to property trees. Pure but for the reading that is handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from aiinfra.engine.wire import UNKNOWN, Secret, Tree, Unknown
from aiinfra.stack import Ref, SecretSource


def drill(tree: Tree, path: Sequence[str]) -> Tree:
    """The part of `tree` at `path`: a part of a secret is secret, a part of an unknown is unknown.

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
    """What a late value stands for, given the outputs of stacks and the reader of secret sources."""

    def resolve(late: Ref | SecretSource) -> Tree:
        if isinstance(late, SecretSource):
            return secret(late)
        return drill(outputs(late.stack), late.output)

    return resolve
