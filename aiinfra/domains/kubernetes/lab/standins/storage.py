"""Where Helm keeps its releases: Secrets `sh.helm.release.v1.<name>.v<revision>` in the release's namespace."""

from __future__ import annotations

from datetime import UTC, datetime

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.lab.standins.charts.release import HelmRelease
from aiinfra.domains.kubernetes.lab.standins.stored_release import (
    Content,
    Document,
    decode,
    document,
    encode,
    with_status,
)

MANAGER = "helm"


@dataclass(frozen=True, slots=True)
class Revision:
    """One stored revision."""

    number: int
    status: str
    """`deployed`, `failed`, `pending-install`, `pending-upgrade`, `superseded`, `uninstalling`."""
    why: str = ""
    """Of a failed one, what failed."""


def newest_revision(client: KubeClient, release: HelmRelease) -> Revision | None:
    """Return the newest revision; None when the release was never installed."""
    found = [
        Revision(int(labels["version"]), labels["status"])
        for secret in client.list("v1", "Secret", release.namespace, labels=f"owner=helm,name={release.name}")
        if (labels := secret["metadata"]["labels"])
    ]
    return max(found, key=lambda revision: revision.number, default=None)


def store_revision(client: KubeClient, release: HelmRelease, revision: Revision, content: Content) -> None:
    """Store a revision; once it is `deployed`, earlier deployed revisions become `superseded`."""
    earlier = _stored(client, release)
    first = min((_first_deployed(secret) for secret in earlier), default="")
    made = document(release, revision.number, content)
    told = with_status(made, revision.status, datetime.now(UTC), first_deployed=first, why=revision.why)
    client.apply(_secret(told), field_manager=MANAGER, force=True)
    if revision.status == "deployed":
        for secret in earlier:
            if secret["metadata"]["labels"]["status"] == "deployed" and _number(secret) != revision.number:
                _restate(client, secret, "superseded")


def mark_uninstalling(client: KubeClient, release: HelmRelease) -> None:
    """Mark the newest revision, as Helm does before it deletes anything (helm/helm pkg/action/uninstall.go)."""
    if newest := max(_stored(client, release), key=_number, default=None):
        _restate(client, newest, "uninstalling")


def delete_revisions(client: KubeClient, release: HelmRelease) -> None:
    """Delete every revision of the release."""
    for secret in _stored(client, release):
        client.delete(ObjectRef.of(secret))


def _stored(client: KubeClient, release: HelmRelease) -> list[Object]:
    return client.list("v1", "Secret", release.namespace, labels=f"owner=helm,name={release.name}")


def _number(secret: Object) -> int:
    return int(secret["metadata"]["labels"]["version"])


def _first_deployed(secret: Object) -> str:
    return str(decode(secret["data"]["release"])["info"]["first_deployed"])


def _restate(client: KubeClient, secret: Object, status: str) -> None:
    told = with_status(decode(secret["data"]["release"]), status, datetime.now(UTC))
    client.apply(_secret(told), field_manager=MANAGER, force=True)


def _secret(revision: Document) -> Object:
    number, status = revision["version"], revision["info"]["status"]
    labels = {"owner": "helm", "name": revision["name"], "status": status, "version": str(number)}
    name = f"sh.helm.release.v1.{revision['name']}.v{number}"
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {"name": name, "namespace": revision["namespace"], "labels": labels},
        "data": {"release": encode(revision)},
    }
