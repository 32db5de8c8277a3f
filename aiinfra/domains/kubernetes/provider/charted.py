"""What a chart brought to a cluster, kept as it was: what somebody changed by hand, and putting it back.

An upgrade by Helm would not do: with unchanged inputs none is run, and it leaves edits of custom resources, as it
compares two manifests and not the live object (helm/helm issue 12827). CRDs of `crds/` come with a first install alone;
those among a chart's templates are objects of the release like others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
class Charted:
    release: ReleaseRef | None
    definitions: Sequence[str]
    """Names of the CRDs that came with it."""


def drift(client: KubeClient, chart: Charted) -> list[str]:
    """One sentence for each field, object or definition that is not as the chart made it."""
    if chart.release is None:
        return []
    objects = deployed_objects(client, chart.release)
    lost = [f"{ref} is gone, and {NOT_REPAIRED}: {LOST_HINT}" for ref in _lost(client, chart, objects or ())]
    if objects is None:
        return [*lost, f"{chart.release} has no deployed revision"]
    return [*lost, *map(str, deviations.deviations(client, objects))]


def put_back(client: KubeClient, chart: Charted, waiter: Waiter) -> None:
    """Raises `StepError` for what cannot be put back, `KubeError`."""
    if chart.release is None:
        return
    objects = _objects(client, chart.release)
    if lost := _lost(client, chart, objects):
        why = "it was deleted after this stack had brought it, and Helm brings it with a first install alone"
        raise StepError(f"{lost[0]} is gone", causes=[why], hint=LOST_HINT)
    deviations.restore(client, objects, waiter)


def _objects(client: KubeClient, release: ReleaseRef) -> Sequence[Object]:
    objects = deployed_objects(client, release)
    if objects is None:
        why = "no Secret of its namespace with owner=helm and status=deployed tells what its chart made"
        raise StepError(f"{release} has no deployed revision", causes=[why], hint=LOST_HINT)
    return objects


def _lost(client: KubeClient, chart: Charted, objects: Sequence[Object]) -> list[ObjectRef]:
    """Definitions that are gone and are none of the release's objects, which can be put back."""
    restorable = set(map(ObjectRef.of, objects))
    refs = [ObjectRef(CRD_API, "CustomResourceDefinition", name) for name in chart.definitions]
    return [ref for ref in refs if ref not in restorable and client.get(ref) is None]
