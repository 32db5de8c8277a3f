"""From what a program declared to the documents that it would apply. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiinfra.domains.kubernetes.charts import chart_of
from aiinfra.domains.kubernetes.provider.cuda_job import image_of, job, reference
from aiinfra.engine.wire import Secret, Tree, Unknown
from aiinfra.render.monitor import Recorded
from aiinfra.render.tracing import SECRET_SOURCE, STACK_SOURCE

RELEASE = "kubernetes:helm.sh/v3:Release"
BUNDLE = "aiinfra:kubernetes:Bundle"
PROOF = "aiinfra:proof:GpuProof"
TEMPLATE = "aiinfra:vsphere:GpuTemplate"
TEMPLATE_NOTE = "A VM template. What of it depends on the hosts (the profile, the MMIO size) is chosen when it is made."
PROOF_NOTE = "The proof runs it last; its image is the one of the cluster's nvidia-operator-validator."
RELEASE_FIELDS = ("chart", "repository", "version", "name", "namespace", "values")


@dataclass(frozen=True, slots=True)
class Document:
    """One file."""

    kind: str
    """As in its file name: `Namespace`, `helm-release`."""
    name: str
    content: Mapping[str, Any]
    notes: Sequence[str] = ()
    """Comment lines above the content."""


def documents(stack: str, resources: Sequence[Recorded]) -> Iterator[Document]:
    """What `stack` would apply, in the order of `resources`."""
    for resource in resources:
        shown = {key: masked(value, reason(stack, resource, key)) for key, value in resource.properties.items()}
        if resource.type == RELEASE:
            yield _release(resource.name, shown)
        elif resource.type == BUNDLE:
            yield from (_object(resource.name, obj, shown.get("labels") or {}) for obj in _listed(shown["objects"]))
        elif resource.type == PROOF:
            yield _proof(stack, resource.name, shown)
        elif resource.type == TEMPLATE:
            yield Document("vm-template", f"{stack}-{resource.name}", shown["wanted"], (TEMPLATE_NOTE,))
        elif resource.type.startswith("kubernetes:"):
            yield _object(resource.name, shown, {})


def reason(stack: str, resource: Recorded, key: str) -> str:
    """Why a property is not known: `known after cluster`, or the name of its secret source."""
    sources = resource.sources.get(key, frozenset())
    secrets = sorted(s.removeprefix(SECRET_SOURCE) for s in sources if s.startswith(SECRET_SOURCE))
    stacks = sorted(s.removeprefix(STACK_SOURCE) for s in sources if s.startswith(STACK_SOURCE))
    others = [s for s in sources if not s.startswith((SECRET_SOURCE, STACK_SOURCE))]
    if secrets and not stacks and not others:
        return ", ".join(secrets)
    return f"known after {', '.join(stacks) if stacks and not others else stack}"


def masked(tree: Tree, why: str) -> Any:
    """The value as a reader may see it; `why` is said of what is not known."""
    if isinstance(tree, Secret):
        return f"<secret {why}>" if _holds_unknown(tree.value) else "<secret>"
    if isinstance(tree, Unknown):
        return f"<{why}>"
    if isinstance(tree, Mapping):
        return {key: masked(value, why) for key, value in tree.items() if value is not None}
    if isinstance(tree, list | tuple):
        return [masked(value, why) for value in tree]
    return tree


def _holds_unknown(tree: Tree) -> bool:
    if isinstance(tree, Secret):
        return _holds_unknown(tree.value)
    if isinstance(tree, Mapping):
        return any(map(_holds_unknown, tree.values()))
    if isinstance(tree, list | tuple):
        return any(map(_holds_unknown, tree))
    return isinstance(tree, Unknown)


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


def _proof(stack: str, name: str, shown: Mapping[str, Any]) -> Document:
    ref = reference(stack, name, str(shown["namespace"]))
    made = job(ref, shown.get("labels") or {}, str(shown["resource"]), image_of(()), int(shown["limit_seconds"]))
    return Document("Job", ref.name, made, (PROOF_NOTE,))


def _release(name: str, shown: Mapping[str, Any]) -> Document:
    repository = (shown.get("repositoryOpts") or {}).get("repo")
    content = {**shown, "repository": repository}
    facts = chart_of(str(shown["chart"]), str(repository or ""))
    notes = ["A Helm release. Its chart is not rendered."]
    if facts and facts.version == shown.get("version"):
        notes += ["The chart adds:", *(f"  {phrase}" for phrase in facts.adds)]
    kept = {key: content[key] for key in RELEASE_FIELDS if content.get(key) is not None}
    return Document("helm-release", str(shown.get("name") or name), kept, notes)
