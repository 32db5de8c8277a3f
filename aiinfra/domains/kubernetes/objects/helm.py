"""What Helm stores of a release in its cluster: the manifest of the deployed revision.

Sources: helm/helm pkg/storage/driver/util.go (`encodeRelease`: JSON, gzip, base64, in a Secret of the release's
namespace), pkg/action/validate.go (`setMetadataVisitor`: the marks that Helm puts on every object).
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import Object

DOCUMENTS = re.compile(r"^---(?=\s|$)", re.MULTILINE)
GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class ReleaseRef:
    """Names one release."""

    name: str
    namespace: str

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> ReleaseRef:
        return cls(raw["name"], raw["namespace"])

    def __str__(self) -> str:
        return f"Helm release {self.namespace}/{self.name}"


def deployed_objects(client: KubeClient, release: ReleaseRef) -> list[Object] | None:
    """Return the objects of the deployed revision, without hooks and the CRDs of `crds/`; None when there is none."""
    labels = f"owner=helm,status=deployed,name={release.name}"
    found = client.list("v1", "Secret", release.namespace, labels=labels)
    if not found:
        return None
    newest = max(found, key=lambda secret: int(secret["metadata"]["labels"]["version"]))
    return [_as_installed(client, obj, release) for obj in parse_manifest(manifest_of(newest["data"]["release"]))]


def manifest_of(stored: str) -> str:
    """Return the manifest of a release as its Secret stores it."""
    raw = base64.b64decode(base64.b64decode(stored))
    document = json.loads(gzip.decompress(raw) if raw.startswith(GZIP) else raw)
    return str(document.get("manifest") or "")


def parse_manifest(text: str) -> Iterator[Object]:
    """Yield the objects of a manifest. It is YAML 1.1, as Helm reads it: `defaultMode: 0644` is octal."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)
    for part in DOCUMENTS.split(text):  # one by one, as ruamel.yaml forgets the version after the first
        if document := yaml.load(part):
            yield from document["items"] if document["kind"] == "List" else (document,)


def _as_installed(client: KubeClient, obj: Object, release: ReleaseRef) -> Object:
    """Return the object with its namespace, where its kind has one, and Helm's marks."""
    metadata = dict(obj["metadata"])
    kind = (obj["apiVersion"], obj["kind"])
    if client.serves(*kind) and client.resource(*kind).namespaced:
        metadata.setdefault("namespace", release.namespace)
    marks = {"meta.helm.sh/release-name": release.name, "meta.helm.sh/release-namespace": release.namespace}
    metadata["labels"] = {**(metadata.get("labels") or {}), "app.kubernetes.io/managed-by": "Helm"}
    metadata["annotations"] = {**(metadata.get("annotations") or {}), **marks}
    return {**obj, "metadata": metadata}
