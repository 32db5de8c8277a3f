"""`aiinfra:kubernetes:CustomResourceDefinitions`: deletes the CRDs that a release brought and left behind.

Helm never deletes the CRDs of a chart. The names that were absent when the stack was made are ours to remove, once
the release is gone: a program declares this resource before the release.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.objects.removing import await_gone, remove_all
from aiinfra.domains.kubernetes.provider import settings
from aiinfra.domains.kubernetes.provider.clusters import Clusters
from aiinfra.domains.kubernetes.provider.in_cluster import client_of, waiter_of
from aiinfra.domains.kubernetes.provider.step_errors import leftovers_error
from aiinfra.engine.wire import UNKNOWN
from aiinfra.providers.contract import Call, CheckFailure, Diff, Made, Properties
from aiinfra.waiting import Waiter

SHAPE: Mapping[str, settings.Kind] = {"kubeconfig": str, "uid": str, "names": list, "limit_seconds": (int, float)}


@dataclass(frozen=True, slots=True)
class CustomResourceDefinitions:
    clusters: Clusters

    def check(self, call: Call, inputs: Properties) -> tuple[Properties, Sequence[CheckFailure]]:
        return settings.check({"limit_seconds": 120, **inputs}, SHAPE)

    def diff(self, call: Call, id: str, olds: Properties, old_inputs: Properties, news: Properties) -> Diff:
        return settings.diff_inputs(old_inputs, news)

    def create(self, call: Call, inputs: Properties) -> Made:
        if call.preview:
            return Made("", {**inputs, "brought": UNKNOWN})
        client, names = client_of(self.clusters, inputs), settings.value(inputs, "names")
        _await_terminating(client, names, waiter_of(call, inputs))
        absent = _absent(client, names)
        return Made(f"{settings.value(inputs, 'uid')}/{call.name}", {**inputs, "brought": absent})

    def update(self, call: Call, id: str, olds: Properties, news: Properties) -> Made:
        if call.preview:
            return Made(id, {**news, "brought": UNKNOWN})
        before, names = settings.value(olds, "brought") or [], settings.value(news, "names")
        known = {*before, *settings.value(olds, "names")}
        absent = _absent(client_of(self.clusters, news), (name for name in names if name not in known))
        return Made(id, {**news, "brought": sorted({*before, *absent})})

    def read(self, call: Call, id: str, inputs: Properties, state: Properties) -> Made | None:
        """Wait for CRDs that an interrupted run was deleting, so that a release finds them gone and not terminating."""
        _await_terminating(client_of(self.clusters, state), settings.value(state, "names"), waiter_of(call, state))
        return Made(id, state, inputs)

    def delete(self, call: Call, id: str, state: Properties) -> None:
        client = client_of(self.clusters, state)
        refs = [_ref(name) for name in settings.value(state, "brought") or ()]
        if left := remove_all(client, refs, {}, lambda: waiter_of(call, state)):
            raise leftovers_error(client, left)


def _await_terminating(client: KubeClient, names: Iterable[str], waiter: Waiter) -> None:
    found = [obj for name in names if (obj := client.get(_ref(name))) and obj["metadata"].get("deletionTimestamp")]
    uids = {ObjectRef.of(obj): obj["metadata"]["uid"] for obj in found}
    if left := await_gone(client, list(uids), uids, waiter):
        raise leftovers_error(client, left)


def _ref(name: str) -> ObjectRef:
    return ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", name)


def _absent(client: KubeClient, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if client.get(_ref(name)) is None)
