"""Read from a cluster what a diagnosis needs. Kinds that may not be listed are skipped: a diagnosis never fails."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError, NotFound, Unreachable
from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.client.transport import CONNECTIONS
from aiinfra.domains.kubernetes.diagnosis.last_lines import with_last_lines
from aiinfra.domains.kubernetes.diagnosis.snapshot import Snapshot

KINDS: Sequence[tuple[str, str]] = (
    ("v1", "Node"),
    ("v1", "Namespace"),
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Event"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "Job"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("apiregistration.k8s.io/v1", "APIService"),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    ("nvidia.com/v1", "ClusterPolicy"),
)


def gather(client: KubeClient) -> Snapshot:
    """Return a snapshot of the cluster. Raises `Unreachable` when the API server does not answer."""
    unlisted: list[str] = []

    def ask(kind: tuple[str, str]) -> list[Object]:
        try:
            return client.list(*kind)
        except Unreachable:
            raise
        except NotFound:
            return []
        except KubeError:
            unlisted.append(kind[1])
            return []

    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="gather") as pool:
        objects = [obj for found in pool.map(ask, KINDS) for obj in found]
    return Snapshot(with_last_lines(client, objects), frozenset(unlisted))
