"""Let a cluster settle after a run was interrupted in the middle of a stack: the world is asked, not our state.

It waits until what that run was deleting is gone. A record of a Helm release that the run left half-way blocks every
later install or upgrade ("cannot re-use a name that is still in use", "another operation is in progress"; helm/helm
pkg/action/install.go, upgrade.go): it is forgotten, and the next install takes over the objects of its own release.
So is one that failed: once it was read again, Pulumi's state no longer knows that it failed, and as its inputs are as
they were, nobody would try again (pulumi-kubernetes provider/pkg/provider/helm_release.go, Read and Diff).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.objects.dependents import census
from aiinfra.domains.kubernetes.objects.removing import Leftover, await_gone
from aiinfra.stack import MARK_ID, MARK_STACK
from aiinfra.waiting import Waiter


def settle(
    client: KubeClient, environment_id: str, stack: str, held: Collection[str], waiter: Waiter, *, deep: bool
) -> tuple[Sequence[ObjectRef], Sequence[Leftover]]:
    """Return the records that were forgotten, and what was still being deleted at the limit.

    `held` are the releases in the state, as `namespace/name`. `deep`: ask for objects of every type, not only for
    namespaces.
    """
    marks = f"{MARK_ID}={environment_id},{MARK_STACK}={stack}"
    marked = census(client, labels=marks).objects if deep else client.list("v1", "Namespace", labels=marks)
    uids = {ObjectRef.of(obj): obj["metadata"]["uid"] for obj in marked if obj["metadata"].get("deletionTimestamp")}
    if left := await_gone(client, list(uids), uids, waiter):
        return (), left
    forgotten = [
        ref
        for namespace in client.list("v1", "Namespace", labels=marks)
        for ref in blocking_records(
            client.list("v1", "Secret", namespace["metadata"]["name"], labels="owner=helm"), held
        )
    ]
    for ref in forgotten:
        client.delete(ref)
    return forgotten, ()


def blocking_records(records: Sequence[Object], held: Collection[str]) -> list[ObjectRef]:
    """Return those of Helm's records in one namespace that block the next install or upgrade, or hide its need."""
    ordered = sorted(records, key=lambda record: (_labels(record)["name"], int(_labels(record)["version"])))
    found: list[ObjectRef] = []
    for name, group in groupby(ordered, key=lambda record: _labels(record)["name"]):
        revisions = list(group)
        status = _labels(revisions[-1])["status"]
        if status in {"uninstalling", "failed"} or f"{revisions[-1]['metadata']['namespace']}/{name}" not in held:
            found += map(ObjectRef.of, revisions)
        elif status.startswith("pending-"):
            found.append(ObjectRef.of(revisions[-1]))
    return found


def _labels(record: Object) -> Mapping[str, str]:
    labels: Mapping[str, str] = record["metadata"]["labels"]
    return labels
