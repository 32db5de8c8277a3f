"""Kubernetes objects under the `kubernetes:` type tokens, by server-side apply."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.lab.standins.awaits import limit, marks, skipped, unfinished
from aiinfra.domains.kubernetes.lab.standins.clients import Clients, refusals
from aiinfra.domains.kubernetes.lab.standins.cluster import (
    PATCH_FORCE,
    NotDone,
    apply,
    interrupted_error,
    until_done,
    until_gone,
    waiter,
    with_namespace,
)
from aiinfra.domains.kubernetes.lab.standins.trees import changed_paths, matching_fields, with_secrets_of
from aiinfra.engine.wire import UNKNOWN, Secret, Tree, Unknown, reveal
from aiinfra.errors import StepError
from aiinfra.providers.contract import Call, CheckFailure, Diff, Made, PartlyMade, Properties
from aiinfra.providers.marshal import reveal_known
from aiinfra.waiting import Stopped

AUTONAMED = "pulumi.com/autonamed"
DELETION_SECONDS = 600.0
IDENTITY = ("apiVersion", "kind", "metadata.name", "metadata.namespace")
FORCE_NEW: Mapping[str, Sequence[str]] = {
    "ConfigMap": ("data", "binaryData", "immutable"),
    "Secret": ("data", "stringData", "type", "immutable"),
    "Deployment": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "StatefulSet": ("spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates"),
    "Job": ("spec.selector", "spec.template", "spec.completions"),
    "PersistentVolumeClaim": ("spec.accessModes", "spec.storageClassName", "spec.volumeName", "spec.selector"),
    "Service": ("spec.clusterIP",),
}
"""Fields that need a new object (pulumi-kubernetes provider/pkg/clients/force_new.go, with its default settings)."""


class Objects:
    """The handler of all kinds of objects."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def check(self, call: Call, inputs: Properties) -> tuple[Properties, Sequence[CheckFailure]]:
        metadata = inputs.get("metadata") or {}
        api_version, kind = type_of(call.type)
        failures = [
            CheckFailure(field, f"{reveal_known(inputs[field])!s} does not match the type {call.type}")
            for field, expected in (("apiVersion", api_version), ("kind", kind))
            if field in inputs and reveal_known(inputs[field]) != expected
        ]
        named = {"apiVersion": api_version, "kind": kind, **inputs}
        if isinstance(metadata, Mapping) and "name" not in metadata and "generateName" not in metadata:
            named["metadata"] = _autonamed(call, metadata)
        return named, failures

    def diff(self, call: Call, id: str, olds: Properties, old_inputs: Properties, news: Properties) -> Diff:
        paths = list(changed_paths(old_inputs, news))
        kind = str(news.get("kind", ""))
        replacing = [path for path in paths if _under(path, (*IDENTITY, *FORCE_NEW.get(kind, ())))]
        same_name = not any(_under(path, ("metadata.name", "metadata.namespace")) for path in paths)
        return Diff(paths, replacing, delete_before_replace=bool(replacing) and same_name)

    def create(self, call: Call, inputs: Properties) -> Made:
        if call.preview:
            return Made("", _previewed(inputs))
        self._refuse_existing(call, inputs)
        return self._apply_and_wait(call, inputs)

    def _refuse_existing(self, call: Call, inputs: Properties) -> None:
        """Raise `StepError` for an object that exists.

        The plugin creates and takes nothing over since 4.34 (pulumi/pulumi-kubernetes pull 4278).
        """
        obj = reveal(inputs)
        with refusals(f"{obj['kind']} {obj['metadata']['name']}"):
            client = self._clients.of(call)
            ref = ObjectRef.of(with_namespace(client, obj))
            if client.get(ref) is not None:
                message = f"{ref} already exists"
                raise StepError(message, code="kube.conflict", hint="import it, or give the new one another name")

    def update(self, call: Call, id: str, olds: Properties, news: Properties) -> Made:
        if call.preview:
            return Made(id, _previewed(news))
        return self._apply_and_wait(call, news)

    def read(self, call: Call, id: str, inputs: Properties, state: Properties) -> Made | None:
        api_version, kind = type_of(call.type)
        namespace, _, name = id.rpartition("/")
        ref = ObjectRef(api_version, kind, name, namespace)
        with refusals(str(ref)):
            live = self._clients.of(call).get(ref)
        if live is None:
            return None
        new_inputs = matching_fields(live, inputs) if inputs else _as_imported(live)
        return Made(id, _outputs(live, inputs), new_inputs if isinstance(new_inputs, Mapping) else None)

    def delete(self, call: Call, id: str, state: Properties) -> None:
        api_version, kind = type_of(call.type)
        namespace, _, name = id.rpartition("/")
        ref = ObjectRef(api_version, kind, name, namespace)
        client = self._clients.of(call)
        with refusals(str(ref)):
            client.delete(ref, propagation="Foreground")
            try:
                until_gone(client, [ref], waiter(call, DELETION_SECONDS))
            except Stopped as error:
                raise interrupted_error(ref, error) from error

    def _apply_and_wait(self, call: Call, inputs: Properties) -> Made:
        """Apply an object and wait until it is done. Raises `PartlyMade` when it was applied and is not done."""
        client = self._clients.of(call)
        obj = reveal(inputs)
        with refusals(f"{obj['kind']} {obj['metadata']['name']}"):
            obj = with_namespace(client, obj)
            live = apply(client, obj, force=marks(obj).get(PATCH_FORCE) == "true")
            ref = ObjectRef.of(live)
            try:
                live = self._awaited(call, client, live)
            except NotDone as error:
                raise PartlyMade(Made(_id(ref), _outputs(live, inputs)), [str(error)]) from error
            except Stopped as error:
                raise PartlyMade(Made(_id(ref), _outputs(live, inputs)), [f"{ref}: stopped while waiting"]) from error
        return Made(_id(ref), _outputs(live, inputs))

    def _awaited(self, call: Call, client: KubeClient, live: Object) -> Object:
        if skipped(live) or not unfinished(live):
            return live
        return until_done(client, [ObjectRef.of(live)], waiter(call, limit(live)))[0]


def type_of(token: str) -> tuple[str, str]:
    """Return API version and kind of a type token: `("apps/v1", "Deployment")` for `kubernetes:apps/v1:Deployment`.

    The core group has no name in `apiVersion`.
    """
    _, group_version, kind = token.split(":")
    return group_version.removeprefix("core/"), kind


def _id(ref: ObjectRef) -> str:
    return f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name


def autoname(call: Call) -> str:
    """Return `<resource>-<8 hex digits>`; the digits follow from the URN: a repeated create finds its object."""
    return f"{call.name}-{hashlib.sha256(call.urn.encode()).hexdigest()[:8]}"


def _autonamed(call: Call, metadata: Mapping[str, Tree]) -> Tree:
    marks = metadata.get("annotations") or {}
    marked = {**marks, AUTONAMED: "true"} if isinstance(marks, Mapping) else marks
    return {**metadata, "name": autoname(call), "annotations": marked}


def _under(path: str, fields: Sequence[str]) -> bool:
    return any(path == field or path.startswith(f"{field}.") or field.startswith(f"{path}.") for field in fields)


def _previewed(inputs: Properties) -> Properties:
    """Return the inputs, with unknown values for what only the server can say."""
    metadata = inputs.get("metadata")
    if isinstance(metadata, Mapping):
        computed: dict[str, Tree] = {"uid": UNKNOWN, "resourceVersion": UNKNOWN, "creationTimestamp": UNKNOWN}
        return {**inputs, "metadata": {**computed, **metadata}, "status": UNKNOWN}
    return {**inputs, "status": UNKNOWN}


def _outputs(live: Object, inputs: Properties) -> Properties:
    metadata = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
    shown = with_secrets_of({**live, "metadata": metadata}, inputs)
    assert isinstance(shown, Mapping)
    return dict(_sealed(shown)) if live["kind"] == "Secret" else shown


def _sealed(secret: Mapping[str, Tree]) -> Iterator[tuple[str, Tree]]:
    """Yield the fields of a Secret with its data marked secret, however it was given."""
    for key, value in secret.items():
        open_data = key in ("data", "stringData") and not isinstance(value, Secret | Unknown)
        yield key, Secret(value) if open_data else value


def _as_imported(live: Object) -> dict[str, Any]:
    """Return the inputs of an imported object, which Pulumi did not create."""
    kept = ("name", "namespace", "labels", "annotations")
    metadata = {key: live["metadata"][key] for key in kept if key in live["metadata"]}
    return {**{key: value for key, value in live.items() if key != "status"}, "metadata": metadata}
