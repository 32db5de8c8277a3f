"""What of our fields the world shows differently from what we applied.

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


def as_seen(client: KubeClient, wanted: Sequence[tuple[Tree, Object]]) -> list[Tree]:
    """For each `(tree as written, object as sent)` the tree as the world shows it; gone ones are left out."""
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="drift") as pool:
        found = pool.map(lambda pair: _seen(client, *pair), wanted)
        return [tree for tree in found if tree is not None]


def _seen(client: KubeClient, written: Tree, applied: Object) -> Tree:
    live = client.get(ObjectRef.of(applied))
    if live is None:
        return None
    intended = client.apply(applied, force=True, dry_run=True)
    if _bare(intended) == _bare(live):
        return written
    shown = drifted(written, intended, live)
    return None if shown == written else shown


def drifted(written: Tree, intended: Any, live: Any) -> Tree:
    """`written` with the values of `live` where it differs from `intended`; secrets stay secrets."""
    if isinstance(written, Secret):
        return Secret(drifted(written.value, intended, live))
    if isinstance(written, Mapping) and isinstance(intended, Mapping) and isinstance(live, Mapping):
        kept = {key: value for key, value in written.items() if key in live or key not in intended}
        return {key: drifted(value, intended.get(key), live.get(key)) for key, value in kept.items()}
    return written if intended == live else live


def _bare(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _BOOKKEEPING}
    return {**obj, "metadata": metadata}
