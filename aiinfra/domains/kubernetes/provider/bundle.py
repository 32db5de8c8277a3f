"""`aiinfra:kubernetes:Bundle`: hundreds of objects as one resource.

`objects` are applied in the order of their kinds with strict validation; `labels` are the marks that each carries
from the creating call on; without the id of an environment among them a bundle is refused. Objects taken out of the
list are deleted. After a failure the state holds what is in the world. Objects that exist and carry other marks, or
none, are refused before anything is touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.objects.applying import ApplyResult, apply_all
from aiinfra.domains.kubernetes.objects.drift import live_trees
from aiinfra.domains.kubernetes.objects.existing import existing
from aiinfra.domains.kubernetes.objects.ownership import owned_by_others
from aiinfra.domains.kubernetes.objects.removing import await_gone, remove_all
from aiinfra.domains.kubernetes.provider import settings
from aiinfra.domains.kubernetes.provider.bundle_objects import (
    BundleState,
    changed_trees,
    mark_failures,
    name_failures,
    request_body,
    trees_by_ref,
)
from aiinfra.domains.kubernetes.provider.clusters import Clusters
from aiinfra.domains.kubernetes.provider.in_cluster import client_of, waiter_of
from aiinfra.domains.kubernetes.provider.step_errors import leftovers_error, refusals_error
from aiinfra.engine.wire import UNKNOWN
from aiinfra.errors import StepError
from aiinfra.providers.border import failure_reason
from aiinfra.providers.contract import Call, CheckFailure, Diff, Made, PartlyMade, Properties
from aiinfra.waiting import Waiter

SHAPE: Mapping[str, settings.Kind] = {
    "kubeconfig": str,
    "uid": str,
    "objects": list,
    "labels": dict,
    "limit_seconds": (int, float),
}


@dataclass(frozen=True, slots=True)
class Bundle:
    clusters: Clusters

    def check(self, call: Call, inputs: Properties) -> tuple[Properties, Sequence[CheckFailure]]:
        checked, failures = settings.check({"labels": {}, "limit_seconds": 120, **inputs}, SHAPE)
        return checked, failures or [*mark_failures(checked), *name_failures(checked)]

    def diff(self, call: Call, id: str, olds: Properties, old_inputs: Properties, news: Properties) -> Diff:
        return settings.diff_inputs(old_inputs, news)

    def create(self, call: Call, inputs: Properties) -> Made:
        if call.preview:
            return Made("", {**inputs, "uids": UNKNOWN})
        return self._converge(call, f"{settings.value(inputs, 'uid')}/{call.name}", {}, inputs)

    def update(self, call: Call, id: str, olds: Properties, news: Properties) -> Made:
        if call.preview:
            return Made(id, {**news, "uids": UNKNOWN})
        return self._converge(call, id, olds, news)

    def read(self, call: Call, id: str, inputs: Properties, state: Properties) -> Made | None:
        client, objects = client_of(self.clusters, state), trees_by_ref(state)
        seen = live_trees(client, [(tree, request_body(tree, state)) for tree in objects.values()])
        if objects and not seen:
            return None
        return Made(id, {**state, "objects": seen}, {**inputs, "objects": seen})

    def delete(self, call: Call, id: str, state: Properties) -> None:
        client, before = client_of(self.clusters, state), BundleState.of(state)
        if left := remove_all(client, list(before.trees), before.uids, lambda: waiter_of(call, state)):
            raise leftovers_error(client, left)

    def _converge(self, call: Call, id: str, olds: Properties, news: Properties) -> Made:
        """Apply what is new or changed, then delete what is no longer listed."""
        client, before = client_of(self.clusters, news), BundleState.of(olds)
        to_apply = changed_trees(before.trees, olds, news)
        bodies = [request_body(tree, news) for tree in to_apply.values()]
        fresh = [body for body in bodies if ObjectRef.of(body) not in before.trees]
        ours = {*before.trees, *_claimed(client, fresh, waiter_of(call, news))}
        applied = apply_all(client, bodies, owned=ours, waiter=lambda: waiter_of(call, news))
        now = before.with_(to_apply, applied.uids)
        if not applied.complete:
            error = _incomplete(client, applied)
            raise PartlyMade(now.made(id, news), [failure_reason(error)]) if now.trees else error
        spec = trees_by_ref(news)
        gone = [ref for ref in now.trees if ref not in spec]
        if left := remove_all(client, gone, now.uids, lambda: waiter_of(call, news)):
            raise PartlyMade(now.made(id, news), [failure_reason(leftovers_error(client, left))])
        return now.only(spec).made(id, news)


def _claimed(client: KubeClient, spec: Sequence[Object], waiter: Waiter) -> list[ObjectRef]:
    """Return the objects of `spec` that exist and are ours, once terminating ones are gone. Raises `StepError`."""
    live = existing(client, spec)
    terminating = {ref: obj["metadata"]["uid"] for ref, obj in live.items() if obj["metadata"].get("deletionTimestamp")}
    if left := await_gone(client, list(terminating), terminating, waiter):
        raise leftovers_error(client, left)
    staying = {ref: obj for ref, obj in live.items() if ref not in terminating}
    if others := owned_by_others(spec, staying):
        raise StepError(
            f"{others[0].ref} exists already and belongs to {others[0].owner}",
            causes=[f"{other.ref} too, to {other.owner}" for other in others[1:3]],
            code="kube.foreign",
            hint="delete it, or give ours another name",
        )
    return list(staying)


def _incomplete(client: KubeClient, applied: ApplyResult) -> StepError:
    if applied.stopped:
        return StepError(f"stopped while waiting for {applied.stopped}", code="run.interrupted")
    return refusals_error(client, applied.refusals, total=len(applied.uids) + len(applied.refusals))
