"""Where Helm keeps its releases: Secrets `sh.helm.release.v1.<name>.v<revision>` in the release's namespace."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.lab.standins.charts.release import HelmRelease

MANAGER = "helm"


@dataclass(frozen=True, slots=True)
class Revision:
    """One stored revision."""

    number: int
    status: str
    """`deployed`, `failed`, `pending-install`, `pending-upgrade`, `superseded`, `uninstalling`."""


def newest_revision(client: KubeClient, release: HelmRelease) -> Revision | None:
    """Return the newest revision; None when the release was never installed."""
    found = [
        Revision(int(labels["version"]), labels["status"])
        for secret in client.list("v1", "Secret", release.namespace, labels=f"owner=helm,name={release.name}")
        if (labels := secret["metadata"]["labels"])
    ]
    return max(found, key=lambda revision: revision.number, default=None)


@dataclass(frozen=True, slots=True)
class Content:
    """What a revision was made of."""

    config: Mapping[str, Any]
    """The values that were given."""
    objects: Sequence[Object]
    """What the templates made of them."""


def store_revision(client: KubeClient, release: HelmRelease, revision: Revision, content: Content) -> None:
    """Store a revision; once it is `deployed`, earlier deployed revisions become `superseded`."""
    client.apply(_secret(release, revision, content), field_manager=MANAGER, force=True)
    if revision.status == "deployed":
        for before in _stored(client, release, "status=deployed"):
            if before != _ref(release, revision.number):
                client.patch(before, {"metadata": {"labels": {"status": "superseded"}}})


def mark_uninstalling(client: KubeClient, release: HelmRelease) -> None:
    """Mark the newest revision, as Helm does before it deletes anything (helm/helm pkg/action/uninstall.go)."""
    if before := newest_revision(client, release):
        client.patch(_ref(release, before.number), {"metadata": {"labels": {"status": "uninstalling"}}})


def delete_revisions(client: KubeClient, release: HelmRelease) -> None:
    """Delete every revision of the release."""
    for ref in _stored(client, release):
        client.delete(ref)


def _stored(client: KubeClient, release: HelmRelease, *more: str) -> list[ObjectRef]:
    labels = ",".join(("owner=helm", f"name={release.name}", *more))
    return [ObjectRef.of(secret) for secret in client.list("v1", "Secret", release.namespace, labels=labels)]


def _ref(release: HelmRelease, number: int) -> ObjectRef:
    return ObjectRef("v1", "Secret", f"sh.helm.release.v1.{release.name}.v{number}", release.namespace)


def _secret(release: HelmRelease, revision: Revision, content: Content) -> Object:
    ref = _ref(release, revision.number)
    labels = {"owner": "helm", "name": release.name, "status": revision.status, "version": str(revision.number)}
    document = {
        "name": release.name,
        "namespace": release.namespace,
        "version": revision.number,
        "config": content.config,
        "manifest": "".join(f"---\n{json.dumps(obj)}\n" for obj in content.objects),
    }
    packed = gzip.compress(json.dumps(document, sort_keys=True).encode(), mtime=0)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {"name": ref.name, "namespace": ref.namespace, "labels": labels},
        "data": {"release": base64.b64encode(base64.b64encode(packed)).decode()},
    }
