"""Find what was changed by hand in the objects of a Helm release, and restore them.

A Helm upgrade does not: with unchanged inputs none is run, and it keeps edits of custom resources, as it compares two
manifests and not the live object (helm/helm issue 12827). CRDs of `crds/` come only with the first install; those
among a chart's templates are objects of the release like others.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.objects import deviations
from aiinfra.domains.kubernetes.objects.helm import ReleaseRef, deployed_objects
from aiinfra.errors import StepError
from aiinfra.providers.contract import NOT_REPAIRED
from aiinfra.waiting import Waiter

CRD_API = "apiextensions.k8s.io/v1"
LOST_HINT = "destroy this stack with what needs it, and bring them up again"


@dataclass(frozen=True, slots=True)
class InstalledRelease:
    """A Helm release with the CRDs that it brought; without a release there is nothing to compare."""

    release: ReleaseRef | None
    definitions: Sequence[str]
    """Names of the CRDs that came with it."""


def drift(client: KubeClient, installed: InstalledRelease) -> list[str]:
    """Return one sentence for each field, object or definition that is not as the chart has it."""
    if installed.release is None:
        return []
    objects = deployed_objects(client, installed.release)
    lost = [
        f"{ref} is gone, and {NOT_REPAIRED}: {LOST_HINT}" for ref in _lost_definitions(client, installed, objects or ())
    ]
    if objects is None:
        return [*lost, f"{installed.release} has no deployed revision"]
    return [*lost, *map(str, deviations.deviations(client, objects))]


def restore(client: KubeClient, installed: InstalledRelease, waiter: Waiter) -> None:
    """Apply the release's objects that deviate. Raises `StepError` for what cannot be restored, and `KubeError`."""
    if installed.release is None:
        return
    objects = _objects(client, installed.release)
    if lost := _lost_definitions(client, installed, objects):
        why = "it was deleted after this stack had brought it, and Helm brings it with a first install alone"
        raise StepError(f"{lost[0]} is gone", causes=[why], hint=LOST_HINT)
    deviations.restore(client, objects, waiter)


def _objects(client: KubeClient, release: ReleaseRef) -> Sequence[Object]:
    objects = deployed_objects(client, release)
    if objects is None:
        why = "no Secret of its namespace with owner=helm and status=deployed tells what its chart made"
        raise StepError(f"{release} has no deployed revision", causes=[why], hint=LOST_HINT)
    return objects


def _lost_definitions(client: KubeClient, installed: InstalledRelease, objects: Sequence[Object]) -> list[ObjectRef]:
    """Return the definitions that are gone and that are not among the release's own objects, which can be restored."""
    restorable = set(map(ObjectRef.of, objects))
    refs = [ObjectRef(CRD_API, "CustomResourceDefinition", name) for name in installed.definitions]
    return [ref for ref in refs if ref not in restorable and client.get(ref) is None]
