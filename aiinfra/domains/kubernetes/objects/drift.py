"""Which of the fields that we applied are different in the world.

The server itself is asked: a dry run of the same apply, compared with the live object, differs in exactly the
fields that we own and somebody changed; its defaults and its ways of writing a value do not disturb.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.client.transport import CONNECTIONS
from aiinfra.engine.wire import Secret, Tree

_BOOKKEEPING = ("managedFields", "resourceVersion", "generation")


def live_trees(client: KubeClient, specs: Sequence[tuple[Tree, Object]]) -> list[Tree]:
    """Return the tree with live values for each `(tree of the program, object as applied)` that exists."""
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="drift") as pool:
        found = pool.map(lambda pair: _live_tree(client, *pair), specs)
        return [tree for tree in found if tree is not None]


def _live_tree(client: KubeClient, tree: Tree, applied: Object) -> Tree:
    live = client.get(ObjectRef.of(applied))
    if live is None:
        return None
    intended = client.apply(applied, force=True, dry_run=True)
    if _bare(intended) == _bare(live):
        return tree
    drifted = with_live_values(tree, intended, live)
    return None if drifted == tree else drifted


def with_live_values(tree: Tree, intended: Any, live: Any) -> Tree:
    """Return `tree` with the values of `live` where it differs from `intended`; secrets stay secrets."""
    if isinstance(tree, Secret):
        return Secret(with_live_values(tree.value, intended, live))
    if isinstance(tree, Mapping) and isinstance(intended, Mapping) and isinstance(live, Mapping):
        kept = {key: value for key, value in tree.items() if key in live or key not in intended}
        return {key: with_live_values(value, intended.get(key), live.get(key)) for key, value in kept.items()}
    return tree if intended == live else live


def _bare(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _BOOKKEEPING}
    return {**obj, "metadata": metadata}
