"""Why a pod's PersistentVolumeClaims have no volume. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.diagnosis.cause import Cause, Weight
from aiinfra.domains.kubernetes.diagnosis.readings import clean
from aiinfra.domains.kubernetes.diagnosis.scene import Scene, namespace, status

CLAIM = "PersistentVolumeClaim"


def unbound(scene: Scene, pod: Object) -> Iterator[Cause]:
    """One cause for each claim of the pod that is not bound, or not there."""
    place = namespace(pod)
    for volume in pod["spec"].get("volumes") or ():
        called = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        claim = scene.find(CLAIM, called, place) if called else None
        if called and claim is None and CLAIM not in scene.unasked:
            yield Cause(f"{CLAIM} {place}/{called} does not exist", "create it")
        if claim is not None and status(claim).get("phase") != "Bound":
            yield _waits(scene, claim, f"{CLAIM} {place}/{called}")


def _waits(scene: Scene, claim: Object, called: str) -> Cause:
    event = next(iter(scene.events(claim)), {})
    why = clean(str(event.get("message") or "nothing provisions a volume for it"))
    says = f"{called} is {status(claim).get('phase', 'Pending')}: {why}"
    return Cause(says, "name a StorageClass that can provision it, or make a volume for it", weight=Weight.BLOCKED)
