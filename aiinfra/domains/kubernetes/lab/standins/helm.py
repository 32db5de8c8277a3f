"""`kubernetes:helm.sh/v3:Release`: what a chart would make, without the chart where that is not there for real."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.lab.standins import storage
from aiinfra.domains.kubernetes.lab.standins.awaits import failed, unfinished
from aiinfra.domains.kubernetes.lab.standins.charts.known import check_failures, facts_of
from aiinfra.domains.kubernetes.lab.standins.charts.real import RealChart
from aiinfra.domains.kubernetes.lab.standins.charts.release import HelmRelease, Manifest, is_kept
from aiinfra.domains.kubernetes.lab.standins.clients import Clients, refusals
from aiinfra.domains.kubernetes.lab.standins.cluster import (
    NotDone,
    apply,
    interrupted_error,
    until_done,
    until_gone,
    waiter,
)
from aiinfra.domains.kubernetes.lab.standins.objects import autoname
from aiinfra.domains.kubernetes.lab.standins.storage import Revision
from aiinfra.domains.kubernetes.lab.standins.stored_release import Content
from aiinfra.domains.kubernetes.lab.standins.templates import Templates
from aiinfra.domains.kubernetes.lab.standins.trees import changed_paths, with_secrets_of
from aiinfra.engine.wire import UNKNOWN, Tree, holds_unknown, reveal
from aiinfra.errors import StepError
from aiinfra.providers.contract import Call, CheckFailure, Diff, Made, PartlyMade, Properties
from aiinfra.providers.marshal import reveal_known
from aiinfra.waiting import Pending, Stopped, TimedOut

TIMEOUT = 300
"""Seconds that Helm waits when the release does not say."""
CRD_SECONDS = 10.0
"""How long the CRDs of `crds/` may take to be served. Helm waits 60 s (helm.sh/helm pkg/action/install.go); in a lab
nothing takes so long."""
COMPUTED = ("status", "resourceNames")


class HelmReleases:
    """The handler of releases. `crds_late` says whether the CRDs of this call's chart come late, a fault of the lab.

    `real_charts` says which charts the cluster of a call has for real, by name; each is there in one version.
    """

    def __init__(
        self,
        clients: Clients,
        crds_late: Callable[[Call], bool],
        real_charts: Callable[[Call], Mapping[str, RealChart]],
    ) -> None:
        self._clients = clients
        self._crds_late = crds_late
        self._real_charts = real_charts

    def check(self, call: Call, inputs: Properties) -> tuple[Properties, Sequence[CheckFailure]]:
        filled: dict[str, Tree] = {**inputs}
        if reveal_known(inputs.get("name", "")) == "":
            filled["name"] = autoname(call)
        if reveal_known(inputs.get("namespace", "")) == "":
            filled["namespace"] = "default"
        if not reveal_known(inputs.get("skipAwait", False)):
            filled.setdefault("timeout", TIMEOUT)
        plain, charts = _plain(inputs), self._real_charts(call)
        failures = list(check_failures(plain, real_operators=bool(charts)))
        return filled, failures or list(Templates(charts).unknown_values({**plain, **_plain(filled)}))

    def diff(self, call: Call, id: str, olds: Properties, old_inputs: Properties, news: Properties) -> Diff:
        paths = list(changed_paths(old_inputs, news))
        return Diff(paths, [path for path in paths if path in ("name", "namespace")])

    def create(self, call: Call, inputs: Properties) -> Made:
        if call.preview:
            return Made("", {**inputs, **dict.fromkeys(COMPUTED, UNKNOWN)})
        return self._deploy(call, inputs, None)

    def update(self, call: Call, id: str, olds: Properties, news: Properties) -> Made:
        if call.preview:
            return Made(id, {**news, **dict.fromkeys(COMPUTED, UNKNOWN)})
        return self._deploy(call, news, olds)

    def read(self, call: Call, id: str, inputs: Properties, state: Properties) -> Made | None:
        namespace, _, name = id.rpartition("/")
        release = HelmRelease(name, namespace)
        with refusals(f"Helm release {id}"):
            revision = storage.newest_revision(self._clients.of(call), release)
        if revision is None:
            return None
        known = {key: state[key] for key in COMPUTED if key in state}
        return Made(id, _outputs(self._templates(call), {**(inputs or state), **known}, revision), inputs or None)

    def _templates(self, call: Call) -> Templates:
        return Templates(self._real_charts(call))

    def delete(self, call: Call, id: str, state: Properties) -> None:
        client, inputs = self._clients.of(call), reveal(state)
        release = HelmRelease(inputs["name"], inputs["namespace"])
        manifest = self._templates(call).manifest(inputs)
        with refusals(f"Helm release {id}"), _stoppable(f"Helm release {id}"):
            _run_hook(call, client, manifest.before_delete, inputs)
            refs = [ObjectRef.of(obj) for obj in reversed(manifest.objects) if not is_kept(obj)]
            storage.mark_uninstalling(client, release)
            _delete_objects(client, refs)
            if not inputs.get("skipAwait"):
                until_gone(client, refs, waiter(call, _timeout(inputs)))
            _run_hook(call, client, manifest.after_delete, inputs)
            storage.delete_revisions(client, release)

    def _deploy(self, call: Call, inputs: Properties, olds: Properties | None) -> Made:
        """Install or upgrade. What fails after something was made is `PartlyMade`, as a failed release is kept."""
        client, plain, templates = self._clients.of(call), reveal(inputs), self._templates(call)
        release = HelmRelease(plain["name"], plain["namespace"])
        with refusals(f"Helm release {release.namespace}/{release.name}"):
            if plain.get("createNamespace"):
                apply(client, _namespace(release.namespace))
            before = storage.newest_revision(client, release)
            _refuse_unusable(release, before, installing=olds is None)
            number = before.number + 1 if before else 1
            pending = Revision(number, "pending-upgrade" if number > 1 else "pending-install")
            facts = facts_of(plain)
            assert facts is not None
            content = Content(facts, plain.get("values") or {}, templates.noted_objects(plain))
            storage.store_revision(client, release, pending, content)
            try:
                self._install(call, client, plain, _dropped_objects(templates, olds, plain))
            except (NotDone, Stopped, KubeError) as error:
                failed = Revision(number, "failed", _failure_text(release, error))
                storage.store_revision(client, release, failed, content)
                made = Made(_id(release), _outputs(templates, inputs, failed))
                raise PartlyMade(made, [failed.why]) from error
            done = Revision(number, "deployed")
            storage.store_revision(client, release, done, content)
        return Made(_id(release), _outputs(templates, inputs, done))

    def _install(self, call: Call, client: KubeClient, inputs: Mapping[str, Any], dropped: Sequence[ObjectRef]) -> None:
        manifest = self._templates(call).manifest(inputs)
        self._install_crds(call, client, manifest, inputs)
        for obj in manifest.objects:
            apply(client, obj, force=True)
        _delete_objects(client, dropped)
        if not inputs.get("skipAwait"):
            refs = [ObjectRef.of(obj) for obj in manifest.objects]
            until_done(client, refs, waiter(call, _timeout(inputs)))

    def _install_crds(self, call: Call, client: KubeClient, manifest: Manifest, inputs: Mapping[str, Any]) -> None:
        """Install the CRDs of the chart and wait until they are served, as Helm does before it looks at the objects."""
        if not manifest.crds:
            return
        if not self._crds_late(call):
            for crd in manifest.crds:
                client.apply(crd, field_manager=storage.MANAGER, force=True)
        wait = waiter(call, min(CRD_SECONDS, _timeout(inputs)))
        until_done(client, [ObjectRef.of(crd) for crd in manifest.crds], wait)
        client.resources(refresh=True)


def _plain(inputs: Properties) -> dict[str, Any]:
    """Return the inputs that are known, secrets opened; `values` only when all of them are known."""
    return {key: reveal(value) for key, value in inputs.items() if not holds_unknown(value)}


def _inputs(state: Properties) -> Properties:
    return {key: value for key, value in state.items() if key not in COMPUTED}


def _timeout(inputs: Mapping[str, Any]) -> float:
    return float(inputs.get("timeout") or TIMEOUT)


def _id(release: HelmRelease) -> str:
    return f"{release.namespace}/{release.name}"


def _failure_text(release: HelmRelease, error: NotDone | Stopped | KubeError) -> str:
    reason = "stopped while waiting" if isinstance(error, Stopped) else str(error)
    return f"Helm release {_id(release)}: {reason}"


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _dropped_objects(templates: Templates, olds: Properties | None, inputs: Mapping[str, Any]) -> list[ObjectRef]:
    """Return the objects of the previous revision that the new values no longer contain."""
    if olds is None:
        return []
    staying = {ObjectRef.of(obj) for obj in templates.manifest(inputs).objects}
    before = [ObjectRef.of(obj) for obj in templates.manifest(reveal(olds)).objects if not is_kept(obj)]
    return [ref for ref in reversed(before) if ref not in staying]


def _delete_objects(client: KubeClient, refs: Sequence[ObjectRef]) -> None:
    for ref in refs:
        client.delete(ref, propagation="Background")


def _run_hook(call: Call, client: KubeClient, objects: Sequence[Object], inputs: Mapping[str, Any]) -> None:
    """Apply a hook's objects, wait for its Job, remove them (`before-hook-creation,hook-succeeded`).

    As the real plugin has it, `skipAwait` leaves an uninstall without any limit, and `disableWebhooks` is not read
    (pulumi-kubernetes v4.32.0 provider/pkg/provider/helm_release.go Delete). A Job that somebody deletes counts as done
    (helm/helm v3.20.2 pkg/kube/client.go watchUntilReady).
    """
    refs = [ObjectRef.of(obj) for obj in objects]
    jobs = [ref for ref in refs if ref.kind == "Job"]
    _delete_objects(client, jobs)
    for obj in objects:
        apply(client, obj, force=True)
    seconds = float("inf") if inputs.get("skipAwait") else _timeout(inputs)
    try:
        waiter(call, seconds).until(lambda: _hook_ended(client, jobs))
    except TimedOut as error:
        raise StepError(f"a hook did not finish: {error.last} after {seconds:.0f} s") from error
    _delete_objects(client, refs)


def _hook_ended(client: KubeClient, jobs: Sequence[ObjectRef]) -> bool | Pending:
    for ref in jobs:
        job = client.get(ref)
        if job is None or job["metadata"].get("deletionTimestamp"):
            continue
        if lost := failed(job):
            raise StepError(f"a hook failed: {ref}: {lost}")
        if lacking := unfinished(job):
            return Pending(f"{ref}: {lacking}")
    return True


@contextmanager
def _stoppable(about: str) -> Iterator[None]:
    try:
        yield
    except Stopped as error:
        raise interrupted_error(about, error) from error


def _outputs(templates: Templates, inputs: Properties, revision: Revision) -> Properties:
    """Return the inputs and what the real plugin reports of a release (provider/pkg/provider/helm_release.go)."""
    plain = reveal(inputs)
    facts = facts_of(plain)
    assert facts is not None
    status = {
        "status": revision.status,
        "name": plain["name"],
        "namespace": plain["namespace"],
        "chart": facts.name,
        "version": facts.version,
        "appVersion": facts.app_version,
        "revision": revision.number,
    }
    full = {
        **_inputs(plain),
        "version": facts.version,
        "status": status,
        "resourceNames": _names_by_kind(templates.manifest(plain)),
    }
    outputs = with_secrets_of(full, inputs)
    assert isinstance(outputs, Mapping)
    return outputs


def _refuse_unusable(release: HelmRelease, before: Revision | None, *, installing: bool) -> None:
    """Raise `StepError` for a release in a state that Helm does not continue from.

    See helm/helm pkg/action/install.go availableName and upgrade.go prepareUpgrade.
    """
    if before and installing:
        raise StepError(f"Helm release {_id(release)}: cannot re-use a name that is still in use")
    if before and before.status.startswith("pending-"):
        reason = "another operation (install/upgrade/rollback) is in progress"
        raise StepError(f"Helm release {_id(release)}: {reason}")
    if not installing and (before is None or before.status == "uninstalling"):
        raise StepError(f'Helm release {_id(release)}: "{release.name}" has no deployed releases')


def _names_by_kind(manifest: Manifest) -> dict[str, list[str]]:
    """Return the names of the release's objects by `kind.group/version`, namespaced ones with their namespace."""
    names: dict[str, list[str]] = {}
    for obj in manifest.objects:
        ref = ObjectRef.of(obj)
        kind = f"{ref.kind}.{ref.group}/{ref.api_version}" if ref.group else f"{ref.kind}/{ref.api_version}"
        names.setdefault(kind, []).append(f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name)
    return names
