"""How `render` shows what acts in a cluster: objects, bundles of them, Helm releases, the Job of a proof. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from aiinfra.domains.kubernetes.charts import chart_of
from aiinfra.domains.kubernetes.provider.cuda_job import Image, Workload, job, reference
from aiinfra.engine.wire import UNKNOWN, Tree
from aiinfra.render.document import Document, ShownResource

PROOF_NOTE = (
    "The proof runs it last, on each node with GPUs; its image is the one of the cluster's nvidia-operator-validator."
)
RELEASE_FIELDS = ("chart", "repository", "version", "name", "namespace", "description", "values")
SERVER_SIDE = ("uid", "resourceVersion", "generation", "creationTimestamp")


def object_(resource: ShownResource) -> Iterable[Document]:
    """An object that the official provider applies."""
    yield _object(resource.name, resource.properties, {})


def bundle(resource: ShownResource) -> Iterable[Document]:
    """Each object of a `Bundle`, with its marks."""
    labels = resource.properties.get("labels") or {}
    yield from (_object(resource.name, each, labels) for each in _listed(resource.properties["objects"]))


def proof(resource: ShownResource) -> Iterable[Document]:
    """The Job by which a `GpuProof` ends, on one node."""
    shown = resource.properties
    named = reference(resource.stack, resource.name, str(shown["namespace"]))
    ref = replace(named, name=f"{named.name}-<node>")
    tolerations, secrets = shown.get("tolerations"), shown.get("pull_secrets")
    image = Image(str(shown["image"]), [{"name": n} for n in secrets] if isinstance(secrets, list) else ())
    workload = Workload(shown.get("labels") or {}, image, tolerations if isinstance(tolerations, list) else ())
    resources = shown["resources"]
    first = str(resources[0] if isinstance(resources, list) else resources)
    made = job(ref, workload, first, "<node>", int(shown["limit_seconds"]))
    yield Document("Job", named.name, made, (PROOF_NOTE,))


def release(resource: ShownResource) -> Iterable[Document]:
    """A Helm release: what it is given, and in words what its chart adds, where that is known."""
    shown = resource.properties
    repository = (shown.get("repositoryOpts") or {}).get("repo")
    content = {**shown, "repository": repository}
    facts = chart_of(str(shown["chart"]), str(repository or ""))
    notes = ["A Helm release. `render --charts` also writes what its chart makes."]
    if facts and facts.version == shown.get("version"):
        notes += ["The chart adds:", *(f"  {phrase}" for phrase in facts.adds)]
    kept = {key: content[key] for key in RELEASE_FIELDS if content.get(key) is not None}
    yield Document("helm-release", str(shown.get("name") or resource.name), kept, notes)


def with_server_side(inputs: Mapping[str, Tree]) -> Mapping[str, Tree]:
    """The inputs of an object, and the metadata that an API server would add, not known yet."""
    metadata = inputs.get("metadata")
    if not isinstance(metadata, Mapping):
        return inputs
    return {**inputs, "metadata": {**dict.fromkeys(SERVER_SIDE, UNKNOWN), **metadata}}


def _listed(value: Any) -> Collection[Any]:
    """Objects that are only known later, all of them, stand as one document."""
    return value if isinstance(value, list) else [{"kind": "objects", "objects": value}]


def _object(name: str, shown: Mapping[str, Any], labels: Mapping[str, Any]) -> Document:
    content = dict(shown)
    metadata = content.get("metadata")
    if isinstance(metadata, Mapping) and labels:
        metadata = {**metadata, "labels": {**(metadata.get("labels") or {}), **labels}}
        content["metadata"] = metadata
    given = metadata.get("name") if isinstance(metadata, Mapping) else None
    named = given if isinstance(given, str) and not given.startswith("<") else name
    notes = () if given else (f"Named by the provider: {name} and digits.",)
    return Document(str(content.get("kind", "object")), named, content, notes)
