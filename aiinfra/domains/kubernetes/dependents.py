"""What a destroy removes from one cluster, who else uses it, and what becomes of the definitions that others share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field, replace
from typing import Any, Final

from aiinfra.catalog import Catalog
from aiinfra.dataclass import dataclass
from aiinfra.domain_run import DestroyRequest, RunContext
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError, NotFound
from aiinfra.domains.kubernetes.client.objects import ApiResource, Object, ObjectRef
from aiinfra.domains.kubernetes.client.transport import CONNECTIONS
from aiinfra.domains.kubernetes.identity import error_of
from aiinfra.domains.kubernetes.needs import DeviceDrivers, ExtendedResources
from aiinfra.domains.kubernetes.objects.claims import RESOURCE_CLAIM
from aiinfra.domains.kubernetes.objects.dependents import EXCLUDED_RESOURCES
from aiinfra.domains.kubernetes.objects.losses import (
    RELEASE_NAME,
    RELEASE_NAMESPACE,
    Removal,
    dependents,
    under_definitions,
)
from aiinfra.domains.kubernetes.objects.removing import remove_all
from aiinfra.domains.kubernetes.objects.sweep import BUILTIN_NAMESPACES
from aiinfra.domains.kubernetes.reach import ClusterHandle
from aiinfra.domains.kubernetes.recorded import Recorded
from aiinfra.report.run import Dependent, Shared
from aiinfra.stack import MARK_ENVIRONMENT, MARK_ID, MARK_STACK
from aiinfra.waiting import Waiter

CRD: Final = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
OWNERS_DEEP: Final = 4
"""Owners of owners that are asked for: a CronJob, its Job, its Pod."""


@dataclass(slots=True)
class ClusterLosses:
    """One cluster in a destroy."""

    run: RunContext
    request: DestroyRequest
    cluster: ClusterHandle
    stacks: Sequence[Recorded]
    """Of all stacks that are destroyed."""
    _going: Sequence[ObjectRef] = ()
    """Dependents that must go while what serves them is at work."""
    _uids: Mapping[ObjectRef, str] = field(default_factory=dict)
    _definitions: frozenset[str] | None = None
    """Names of those that were there beforehand; None when that is not known."""

    def find(self) -> Sequence[Dependent]:
        """Raises `OutsideError` when the cluster does not answer."""
        try:
            with KubeClient.from_kubeconfig(self.cluster.kubeconfig) as client:
                return self._find(client)
        except KubeError as error:
            raise error_of(self.cluster, error.record) from error

    def _find(self, client: KubeClient) -> Sequence[Dependent]:
        with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="losses") as pool:
            uid = pool.submit(client.cluster_uid)
            namespaces = pool.submit(_listed, self, client.list, "v1", "Namespace", labels=MARK_ENVIRONMENT)
            types = client.resources(refresh=True)
            definitions = pool.submit(_listed, self, client.metadata, client.resource(*CRD))
            here = [one for one in self.stacks if uid.result() in one.uids]
            self._definitions = frozenset(map(_name, definitions.result())) or None
            removal = self._removal(here, definitions.result(), namespaces.result())
            self._tell_silent(client.silent_apis() if removal.namespaces else ())
            kinds = {(_group(one), one.kind): f"{one.plural}.{_group(one)}" for one in types}
            objects = list(self._objects(client, pool, removal, types, kinds))
            objects += _owners(client, pool, objects)
        self._going = under_definitions(removal, objects, kinds)
        self._uids = {ObjectRef.of(obj): obj["metadata"]["uid"] for obj in objects}
        return dependents(removal, objects, kinds)

    def _tell_silent(self, apis: Iterable[str]) -> None:
        """Say beforehand what will hold up every namespace: its controller asks all APIs for what is in it."""
        for group, _, version in (api.partition("/") for api in apis):
            self.run.say(
                f"APIService {version}.{group} of cluster {self.cluster.stack} does not answer: no namespace can go "
                "until it does or is deleted, and what others have there is not known"
            )

    def _removal(
        self, here: Sequence[Recorded], definitions: Sequence[Object], namespaces: Sequence[Object]
    ) -> Removal:
        """Return what goes: what the state of the stacks names, and what bears their marks."""
        marked = {_name(n): stack for n in namespaces if (stack := self._marked(n)) is not None and not _leaving(n)}
        places = {name: stack for name, stack in marked.items() if name not in BUILTIN_NAMESPACES}
        releases = {release: one.stack for one in here for release in one.releases}
        for place, stack in places.items():
            if stack not in set(releases.values()):
                releases |= dict.fromkeys(((place, chart) for chart in _charts()), stack)
        brought = {name: one.stack for one in here for name in one.brought}
        leaving = {_name(definition) for definition in definitions if _leaving(definition)}
        for definition in definitions:
            annotations = definition["metadata"].get("annotations") or {}
            release = (annotations.get(RELEASE_NAMESPACE, ""), annotations.get(RELEASE_NAME, ""))
            if (stack := self._marked(definition)) is not None or (stack := releases.get(release)) is not None:
                brought.setdefault(_name(definition), stack)
        there = dict.fromkeys((*(one.stack for one in here), *places.values()))
        offers = [(stack, record) for stack in there for record in self._offers(stack)]
        return Removal(
            environment=self.run.plan.environment.name,
            environment_id=self.run.environment_id,
            stacks=self.request.chosen,
            definitions={name: stack for name, stack in brought.items() if name not in leaving},
            namespaces=places,
            releases=releases.keys(),
            resources={
                pattern: stack
                for stack, record in offers
                if isinstance(record, ExtendedResources)
                for pattern in record.patterns
            },
            devices=[(stack, record) for stack, record in offers if isinstance(record, DeviceDrivers)],
            whole=self.request.whole,
            unowned=[pattern for facts in _charts().values() for pattern in facts.unowned],
        )

    def _marked(self, obj: Object) -> str | None:
        """The stack of this environment that the object is marked with, when that stack goes.

        Without the environment's id nothing is swept, so only what the state has goes.
        """
        labels = obj["metadata"].get("labels") or {}
        id = self.run.environment_id
        ours = labels.get(MARK_ID) == id if id else labels.get(MARK_ENVIRONMENT) == self.run.plan.environment.name
        stack = labels.get(MARK_STACK, "")
        goes = self.request.whole or stack in self.request.chosen
        return stack if ours and goes and (id or self.run.existed(stack)) else None

    def _offers(self, stack: str) -> Sequence[Any]:
        catalog, kind = Catalog.installed(), self.request.kinds.get(stack, "")
        return catalog[kind].offers if kind in catalog else ()

    def _objects(
        self,
        client: KubeClient,
        pool: ThreadPoolExecutor,
        removal: Removal,
        types: Iterable[ApiResource],
        kinds: Mapping[tuple[str, str], str],
    ) -> Iterator[Object]:
        """Yield what may be lost: of kinds that go everywhere, of all kinds in namespaces that go, pods with GPUs.

        What is asked for as a whole comes last, as its metadata may come before.
        """
        asked, claims = [], []
        for one in types:
            if not {"list", "delete"} <= one.verbs or one.plural in EXCLUDED_RESOURCES:
                continue
            if kinds[_group(one), one.kind] in removal.definitions:
                asked.append(pool.submit(_listed, self, client.metadata, one))
            elif one.namespaced:
                places = sorted(removal.namespaces)
                asked += [pool.submit(_listed, self, client.metadata, one, place) for place in places]
            if removal.devices and (_group(one), one.kind) == RESOURCE_CLAIM:
                claims.append(pool.submit(_listed, self, client.list, one.api_version, one.kind))
        asked += claims
        if removal.resources or removal.devices:
            asked.append(pool.submit(_listed, self, client.list, "v1", "Pod"))
        for answer in asked:
            yield from answer.result()

    def release(self) -> None:
        """Remove what others have under definitions that go, while the controllers act. Raises `Stopped`."""
        run = self.run

        def waiter() -> Waiter:
            return Waiter(run.sweep_seconds, stop=run.stop, on_wait=lambda what, seconds: run.say(what))

        try:
            with KubeClient.from_kubeconfig(self.cluster.kubeconfig) as client:
                self._release(client, waiter)
        except KubeError as error:
            raise error_of(self.cluster, error.record) from error

    def _release(self, client: KubeClient, waiter: Callable[[], Waiter]) -> None:
        from aiinfra.domains.kubernetes.provider.step_errors import refusal_error

        try:
            for left in remove_all(client, self._going, self._uids, waiter):
                self.run.say(f"{left}; it goes with its definition, or holds that up")
        except KubeError as error:
            if not error.status:
                raise
            found = refusal_error(client, error)
            message = " ← ".join((found.record.message, *found.causes))
            raise error_of(self.cluster, replace(found.record, message=message)) from error

    def shared(self) -> Sequence[Shared]:
        """Say what became of the definitions; nothing of a cluster that does not answer."""
        try:
            with KubeClient.from_kubeconfig(self.cluster.kubeconfig, timeout=10) as client:
                uid = client.cluster_uid()
                here = [one for one in self.stacks if uid in one.uids]
                names = sorted({name for one in here for name in one.names})
                refs = [ObjectRef(*CRD, name) for name in names]
                with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="shared") as pool:
                    live = dict(zip(names, pool.map(client.get, refs), strict=True))
        except KubeError:
            return []
        before = self._definitions
        told = [(one, name) for one in here for name in one.names if before is None or name in before or live[name]]
        return [found for one, name in told if (found := _fate(one, name, live[name]))]


def _fate(stack: Recorded, name: str, live: Object | None) -> Shared | None:
    """What became of a definition; None for one that was not there before either."""
    brought = name in stack.brought
    if live is None:
        return Shared(stack.stack, CRD[1], name, removed=True) if brought else None
    why = f"it was there before {stack.stack}"
    if brought:
        terminating = live["metadata"].get("deletionTimestamp")
        why = "its deletion is under way" if terminating else f"{stack.stack} was not destroyed to its end"
    return Shared(stack.stack, CRD[1], name, removed=False, why=why)


def _group(resource: ApiResource) -> str:
    return resource.api_version.rpartition("/")[0]


def _listed(losses: ClusterLosses, ask: Callable[..., Iterable[Object]], *arguments: Any, **more: Any) -> list[Object]:
    """Return what a list request gives; what may not be listed is said and passed over."""
    try:
        return list(ask(*arguments, **more))
    except NotFound:
        return []
    except KubeError as error:
        if not error.status:
            raise
        losses.run.say(f"whether others lose something is not known in full: {error.record.message}")
        return []


def _owners(client: KubeClient, pool: ThreadPoolExecutor, objects: Iterable[Object]) -> list[Object]:
    """Return the owners of objects, and theirs, that are not among them and exist."""
    known = {obj["metadata"]["uid"] for obj in objects}
    found: list[Object] = []
    level = list(objects)
    for _ in range(OWNERS_DEEP):
        refs = {uid: ref for obj in level for uid, ref in _owner_refs(obj) if uid not in known}
        level = [obj for obj in pool.map(lambda one: _get(client, *one), refs.items()) if obj]
        found += level
        known |= refs.keys()
    return found


def _owner_refs(obj: Object) -> Iterator[tuple[str, ObjectRef]]:
    for owner in obj["metadata"].get("ownerReferences") or ():
        place = obj["metadata"].get("namespace") or ""
        yield owner["uid"], ObjectRef(owner["apiVersion"], owner["kind"], owner["name"], place)


def _get(client: KubeClient, uid: str, ref: ObjectRef) -> Object | None:
    """Return an owner; None when it is gone, no more than its name when it may not be read."""
    try:
        namespaced = client.resource(ref.api_version, ref.kind).namespaced
        found = client.get(ref if namespaced else replace(ref, namespace=""))
    except NotFound:
        return None
    except KubeError as error:
        if not error.status:
            raise
        return {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": {"name": ref.name, "uid": uid}}
    return found if found and found["metadata"]["uid"] == uid else None


def _leaving(obj: Object) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def _charts() -> Mapping[str, Any]:
    from aiinfra.domains.kubernetes.charts import facts_by_name

    return facts_by_name()


def _name(obj: Object) -> str:
    return str(obj["metadata"]["name"])
