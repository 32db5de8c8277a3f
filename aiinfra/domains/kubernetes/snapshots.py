"""What a stack made in clusters, noted after its success and looked at again before it is skipped.

The look is cheap: wants are judged anew, objects are compared by their identity and the version of their spec, and
nodes by the facts that a proof of them depends on. What it notices makes the stack run with a refresh, which compares
field by field and says what differs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, Final

from aiinfra.domain_run import Comparison, RunContext
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError, NoSuchKind
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.objects.awaiting import verdict
from aiinfra.domains.kubernetes.objects.gpu_nodes import changed_since
from aiinfra.domains.kubernetes.objects.helm import ReleaseRef, deployed_objects
from aiinfra.domains.kubernetes.objects.wants import Verdict, parse
from aiinfra.domains.kubernetes.reach import ClusterHandle, access_to, accesses, clusters_of, file_access
from aiinfra.errors import OutsideError
from aiinfra.plan.planner import Step
from aiinfra.stack import StackName

AT_ONCE: Final = 8
SECONDS: Final = 10.0
"""For one answer."""
BUNDLE: Final = "aiinfra:kubernetes:Bundle"
READY: Final = "aiinfra:kubernetes:Ready"
VERSIONED_WHOLE: Final = frozenset({"ConfigMap", "ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding"})
"""Kinds without `metadata.generation` that no controller writes to: any new version of them is a change."""
CRD: Final = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")

Seen = Mapping[str, str]
"""What is compared of one object: `uid`, and `generation` or `version`."""


def snapshot(run: RunContext, step: Step) -> Mapping[str, str]:
    """By cluster, as JSON: the wants and objects of what the stack made, and the nodes that it proved.

    Raises `OutsideError` when a cluster cannot be asked.
    """
    resources = run.deployment(step.name).get("resources") or ()
    wants = [want for one in resources if one["type"] == READY for want in _listed(one, "wants")]
    proved_on = run.recorded_outputs(step.name).get("proved_on") or {}
    found: dict[str, str] = {}
    for handle in accesses(run, step.name):
        if handle.stack == step.name:
            continue
        with _asking(handle) as client:
            objects = _look(client, _refs(client, resources))
        kept = [[ref.as_json(), dict(seen)] for ref, seen in objects.items() if seen is not None]
        found[handle.stack] = json.dumps({"wants": wants, "objects": kept, "proved_on": proved_on})
    return found


def changes(run: RunContext, snapshots: Mapping[StackName, Mapping[str, str]]) -> Comparison:
    """One pass for each cluster, all stacks in it together."""
    clusters = _by_cluster(run, snapshots)
    changed: dict[StackName, list[str]] = {}
    unknown: dict[StackName, OutsideError] = {}
    with ThreadPoolExecutor(max(len(clusters), 1), thread_name_prefix="clusters") as pool:
        answers = pool.map(_asked, clusters.keys(), clusters.values())
        for kept, answer in zip(clusters.values(), answers, strict=True):
            if isinstance(answer, OutsideError):
                unknown |= dict.fromkeys(kept, answer)
                continue
            for stack, sentences in answer.items():
                changed.setdefault(stack, []).extend(sentences)
    return Comparison(changed, unknown)


def _asked(handle: ClusterHandle, kept: Mapping[StackName, Any]) -> Mapping[StackName, list[str]] | OutsideError:
    try:
        with _asking(handle) as client:
            return _compare(client, kept)
    except OutsideError as error:
        return error


@contextmanager
def _asking(handle: ClusterHandle) -> Iterator[KubeClient]:
    """A client whose failures are `OutsideError`s that name the stack which gives the cluster."""
    try:
        with KubeClient.from_kubeconfig(handle.kubeconfig, timeout=SECONDS) as client:
            yield client
    except KubeError as error:
        record = error.record
        raise OutsideError(
            record.message, code=record.code, where=handle.stack, hint=record.hint, transient=record.transient
        ) from error


def _by_cluster(
    run: RunContext, snapshots: Mapping[StackName, Mapping[str, str]]
) -> Mapping[ClusterHandle, Mapping[StackName, Any]]:
    handles: dict[str, ClusterHandle] = {}
    kept: dict[str, dict[StackName, Any]] = {}
    for stack, noted in snapshots.items():
        for cluster in clusters_of(run.plan, stack):
            if cluster not in noted:
                continue
            if cluster not in handles and (handle := _access_to(run, cluster)):
                handles[cluster] = handle
            kept.setdefault(cluster, {})[stack] = json.loads(noted[cluster])
    return {handle: kept[name] for name, handle in handles.items()}


def _access_to(run: RunContext, cluster: str) -> ClusterHandle | None:
    """By the file when that says what it said at the last success: reading the state would start the engine."""
    with suppress(OutsideError):
        if run.is_current(cluster) and (handle := file_access(run, cluster)):
            return handle
        return access_to(run, cluster)
    return None


def _compare(client: KubeClient, kept: Mapping[StackName, Any]) -> Mapping[StackName, list[str]]:
    before = {
        stack: {ObjectRef.from_json(ref): seen for ref, seen in noted["objects"]} for stack, noted in kept.items()
    }
    wants = [(stack, parse(want)) for stack, noted in kept.items() for want in noted["wants"]]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="look") as pool:
        judged = pool.map(lambda one: (one[0], verdict(client, one[1])), wants)
        proves = any(noted.get("proved_on") for noted in kept.values())
        nodes = pool.submit(client.list, "v1", "Node") if proves else None
        now = _look(client, [ref for objects in before.values() for ref in objects], pool)
        unmet: dict[StackName, list[Verdict]] = {}
        for stack, seen in judged:
            if not seen.holds:
                unmet.setdefault(stack, []).append(seen)
        moved = {
            stack: changed_since(noted["proved_on"], nodes.result())
            for stack, noted in kept.items()
            if nodes and noted.get("proved_on")
        }
    found = {
        stack: [*_sentences(unmet.get(stack, ()), objects, now), *moved.get(stack, ())]
        for stack, objects in before.items()
    }
    return {stack: sentences for stack, sentences in found.items() if sentences}


def _sentences(
    unmet: Iterable[Verdict], before: Mapping[ObjectRef, Seen], now: Mapping[ObjectRef, Seen | None]
) -> Iterator[str]:
    """One for each object: its change before what the change led to, but what is wanted of it when it is gone."""
    differences = dict(_differences(before, now))
    changed = {str(ref) for ref in differences if now[ref] is not None}
    told = [seen for seen in unmet if seen.about not in changed]
    yield from (seen.sentence for seen in told)
    yield from (s for ref, s in differences.items() if not any(str(ref) in seen.sentence for seen in told))


def _differences(
    before: Mapping[ObjectRef, Seen], now: Mapping[ObjectRef, Seen | None]
) -> Iterator[tuple[ObjectRef, str]]:
    for ref, seen in before.items():
        there = now[ref]
        if there is None:
            yield ref, f"{ref} is gone"
        elif there["uid"] != seen["uid"]:
            yield ref, f"{ref} was deleted and made anew"
        elif there != seen:
            yield ref, f"{ref} was changed"


def _refs(client: KubeClient, resources: Iterable[Mapping[str, Any]]) -> list[ObjectRef]:
    """The objects of bundles and of Helm releases, and the definitions that came with those."""
    found: list[ObjectRef] = []
    for one in resources:
        if one["type"] == BUNDLE:
            found += [ObjectRef.of(obj) for obj in _listed(one, "objects") if isinstance(obj.get("metadata"), Mapping)]
        elif one["type"] == READY:
            found += [ObjectRef(*CRD, name) for name in _listed(one, "definitions")]
            if release := (one.get("outputs") or {}).get("release"):
                found += [ObjectRef.of(obj) for obj in deployed_objects(client, ReleaseRef.from_json(release)) or ()]
    return list(dict.fromkeys(found))


def _listed(resource: Mapping[str, Any], name: str) -> Sequence[Any]:
    """A list among the outputs; nothing of one that is encrypted as a whole."""
    value = (resource.get("outputs") or {}).get(name)
    return value if isinstance(value, list) else ()


def _look(
    client: KubeClient, refs: Sequence[ObjectRef], pool: ThreadPoolExecutor | None = None
) -> Mapping[ObjectRef, Seen | None]:
    """What is there of each object now, None where there is none; one request for each kind in a namespace."""
    groups: dict[tuple[str, str, str], list[ObjectRef]] = {}
    for ref in refs:
        groups.setdefault((ref.api_version, ref.kind, ref.namespace), []).append(ref)
    if pool is None:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="look") as own:
            return _look(client, refs, own)
    found = pool.map(lambda group: _look_at(client, group), groups.values())
    return {ref: seen for one in found for ref, seen in one.items()}


def _look_at(client: KubeClient, refs: Sequence[ObjectRef]) -> Mapping[ObjectRef, Seen | None]:
    first = refs[0]
    try:
        if len(refs) == 1:
            obj = client.get(first)
            return {first: _seen(obj) if obj else None}
        listed = client.metadata(client.resource(first.api_version, first.kind), first.namespace)
    except NoSuchKind:
        return dict.fromkeys(refs)
    there = {(item["metadata"]["name"], item["metadata"].get("namespace") or ""): item for item in listed}
    return {ref: _seen(obj) if (obj := there.get((ref.name, ref.namespace))) else None for ref in refs}


def _seen(obj: Object) -> Seen:
    metadata = obj["metadata"]
    seen = {"uid": str(metadata["uid"])}
    if "generation" in metadata:
        return {**seen, "generation": str(metadata["generation"])}
    return {**seen, "version": str(metadata["resourceVersion"])} if obj["kind"] in VERSIONED_WHOLE else seen
