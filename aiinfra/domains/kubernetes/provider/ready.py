"""`aiinfra:kubernetes:Ready`: waits for named objects and conditions, and reports what holds them up.

With `release`, the objects of that Helm release are kept as its chart has them: a read lists in `drift` what somebody
changed, field by field, and the update that follows restores it before it waits.
After a change of what is awaited, what was ready before does not count until it answers the change: `generations` are
the specs that the last wait saw answered. With `limit_per_node`, the limit of a change follows the number of nodes.
On delete, the objects of `remove_first` go first with everything they own, while their operator still runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.objects.awaiting import changed, generations, verdict
from aiinfra.domains.kubernetes.objects.dependents import dependents
from aiinfra.domains.kubernetes.objects.helm import ReleaseRef
from aiinfra.domains.kubernetes.objects.removing import await_gone, remove_all
from aiinfra.domains.kubernetes.objects.wants import ClusterPolicyReady, ObjectWant, Want, parse
from aiinfra.domains.kubernetes.provider import settings
from aiinfra.domains.kubernetes.provider.clusters import Clusters
from aiinfra.domains.kubernetes.provider.diagnosed_wait import await_wants
from aiinfra.domains.kubernetes.provider.in_cluster import client_of, waiter_of
from aiinfra.domains.kubernetes.provider.limits import Limit, first_limit, span, upgrade_limit
from aiinfra.domains.kubernetes.provider.release_drift import InstalledRelease, drift, restore
from aiinfra.domains.kubernetes.provider.step_errors import leftovers_error
from aiinfra.engine.wire import UNKNOWN, Unknown, holds_unknown, reveal
from aiinfra.errors import StepError
from aiinfra.providers.border import failure_reason
from aiinfra.providers.contract import Call, CheckFailure, Diff, Made, PartlyMade, Properties
from aiinfra.providers.marshal import reveal_known
from aiinfra.waiting import Stopped, Waiter

SHAPE: Mapping[str, settings.Kind] = {
    "kubeconfig": str,
    "uid": str,
    "wants": list,
    "limit_seconds": (int, float),
    "limit_per_node": (int, float),
    "remove_first": list,
    "definitions": list,
    "labels": dict,
    "release": dict,
    "drift": list,
}
DEFAULTS: Properties = {
    "limit_seconds": 600, "limit_per_node": 0, "remove_first": [], "definitions": [], "labels": {}, "release": {},
    "drift": [],
}  # fmt: skip

SEEN: Final = ("facts", "generations")
"""Properties that a wait adds to its inputs."""
TOLD_AFTER: Final = 60.0
"""Seconds after which a wait tells its limit."""


@dataclass(frozen=True, slots=True)
class Ready:
    clusters: Clusters
    patience: float

    def check(self, call: Call, inputs: Properties) -> tuple[Properties, Sequence[CheckFailure]]:
        checked, failures = settings.check({**DEFAULTS, **inputs}, SHAPE)
        return checked, failures or _no_wants(checked)

    def diff(self, call: Call, id: str, olds: Properties, old_inputs: Properties, news: Properties) -> Diff:
        return settings.diff_inputs(old_inputs, news)

    def create(self, call: Call, inputs: Properties) -> Made:
        if call.preview:
            return Made("", {**inputs, **dict.fromkeys(SEEN, UNKNOWN)})
        id = f"{settings.value(inputs, 'uid')}/{call.name}"
        try:
            return self._wait(call, id, inputs, _first_limit(inputs), {})
        except (StepError, KubeError, Stopped) as error:  # kept in the state, so that a destroy heeds `remove_first`
            raise PartlyMade(Made(id, {**inputs, "definitions": []}), [failure_reason(error)]) from error

    def update(self, call: Call, id: str, olds: Properties, news: Properties) -> Made:
        if call.preview:
            return Made(id, {**news, **dict.fromkeys(SEEN, UNKNOWN)})
        client = client_of(self.clusters, news)
        installed = {*(settings.value(olds, "definitions") or ())}
        known = [name for name in settings.value(news, "definitions") or () if name in installed]
        restore(client, installed_release({**news, "definitions": known}), waiter_of(call, news))
        limit = _upgrade_limit(client, news)
        return self._wait(call, id, news, limit, settings.value(olds, "generations") or {})

    def read(self, call: Call, id: str, inputs: Properties, state: Properties) -> Made | None:
        """Return the state without wants that no longer hold, so that the next run waits for them again."""
        client = client_of(self.clusters, state)
        raw = reveal(state.get("wants"))
        holding = [want for want in raw if verdict(client, parse(want)).holds]
        seen: Properties = {"wants": holding, "drift": drift(client, installed_release(state))}
        return Made(id, {**state, **seen}, {**inputs, **seen})

    def delete(self, call: Call, id: str, state: Properties) -> None:
        refs = [ObjectRef.from_json(raw) for raw in settings.value(state, "remove_first") or ()]
        if refs:
            _remove(client_of(self.clusters, state), refs, waiter_of(call, state))

    def _wait(self, call: Call, id: str, inputs: Properties, limit: Limit, answered: Mapping[str, str]) -> Made:
        wants = [parse(raw) for raw in settings.value(inputs, "wants")]
        client = client_of(self.clusters, inputs)
        _mark_definitions(client, inputs)
        now = generations(client, wants)
        waiter = Waiter(limit.seconds, stop=call.stop, on_wait=_telling(call, limit))
        facts = await_wants(client, wants, waiter, self.patience, changed=changed(answered, now), limit=limit.source)
        installed = _mark_definitions(client, inputs)
        return Made(id, {**inputs, "definitions": installed, "facts": facts, "generations": now})


def _telling(call: Call, limit: Limit) -> Callable[[str, float], None]:
    """Return what reports a wait; one whose limit follows the number of nodes says so from the first minute on."""

    def say(what: str, seconds: float) -> None:
        told = seconds >= TOLD_AFTER and limit.source
        call.say(f"{what} (limit {span(limit.seconds)}: {limit.source})" if told else what, seconds)

    return say


def _first_limit(inputs: Properties) -> Limit:
    return first_limit(settings.value(inputs, "limit_seconds"), settings.value(inputs, "limit_per_node") or 0)


def _upgrade_limit(client: KubeClient, inputs: Properties) -> Limit:
    """Return the limit for the nodes that there are, and the upgrade policy of the ClusterPolicy that is awaited."""
    seconds, per_node = settings.value(inputs, "limit_seconds"), settings.value(inputs, "limit_per_node") or 0
    awaited = [parse(raw) for raw in settings.value(inputs, "wants")]
    refs = [w.ref for w in awaited if isinstance(w, ObjectWant) and isinstance(w.rule, ClusterPolicyReady)]
    if not per_node or not refs:
        return first_limit(seconds, per_node)
    return upgrade_limit(seconds, per_node, client.get(refs[0]), client.list("v1", "Node"))


def installed_release(properties: Properties) -> InstalledRelease:
    release = settings.value(properties, "release")
    names = settings.value(properties, "definitions") or ()
    return InstalledRelease(ReleaseRef.from_json(release) if release else None, tuple(names))


def _mark_definitions(client: KubeClient, inputs: Properties) -> list[str]:
    """Mark the CRDs that the stack brought, as its chart does not, so that a sweep finds them.

    Return the names of those that are there: another version of a chart need not bring all that are known of it.
    """
    labels, there = settings.value(inputs, "labels"), []
    for name in settings.value(inputs, "definitions") or ():
        ref = ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", name)
        found = client.get(ref)
        if found is None:
            continue
        there.append(name)
        if not labels.items() <= (found["metadata"].get("labels") or {}).items():
            client.patch(ref, {"metadata": {"labels": labels}})
    return there


def _no_wants(inputs: Properties) -> list[CheckFailure]:
    wants = reveal_known(inputs["wants"])
    if isinstance(wants, Unknown):
        return []
    found = ((index, _parse_error(raw)) for index, raw in enumerate(wants) if not holds_unknown(raw))
    return [CheckFailure(f"wants[{index}]", why) for index, why in found if why]


def _parse_error(raw: Mapping[str, object]) -> str:
    try:
        _: Want = parse(raw)
    except ValueError as error:
        return str(error)
    return ""


def _remove(client: KubeClient, refs: Sequence[ObjectRef], waiter: Waiter) -> None:
    """Delete objects with everything they own. Raises `StepError` naming what remains at the limit."""
    live = {ref: obj["metadata"]["uid"] for ref in refs if (obj := client.get(ref))}
    owned = dependents(client, live.values()) if live else {}
    left = remove_all(client, list(live), live, lambda: waiter) or await_gone(client, list(owned), owned, waiter)
    if left:
        raise leftovers_error(client, left)
