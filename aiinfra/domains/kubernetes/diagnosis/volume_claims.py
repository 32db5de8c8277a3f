"""Why a pod's PersistentVolumeClaims have no volume. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.diagnosis.cause import Cause, Weight
from aiinfra.domains.kubernetes.diagnosis.messages import one_line
from aiinfra.domains.kubernetes.diagnosis.snapshot import Snapshot, namespace, status

CLAIM = "PersistentVolumeClaim"


def unbound_claims(snapshot: Snapshot, pod: Object) -> Iterator[Cause]:
    """Yield a cause for each claim of the pod that is not bound or does not exist."""
    place = namespace(pod)
    for volume in pod["spec"].get("volumes") or ():
        claim_name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        claim = snapshot.find(CLAIM, claim_name, place) if claim_name else None
        if claim_name and claim is None and CLAIM not in snapshot.unlisted:
            yield Cause(f"{CLAIM} {place}/{claim_name} does not exist", "create it")
        if claim is not None and status(claim).get("phase") != "Bound":
            yield _unbound(snapshot, claim, f"{CLAIM} {place}/{claim_name}")


def _unbound(snapshot: Snapshot, claim: Object, claim_name: str) -> Cause:
    event = next(iter(snapshot.events(claim)), {})
    why = one_line(str(event.get("message") or "nothing provisions a volume for it"))
    message = f"{claim_name} is {status(claim).get('phase', 'Pending')}: {why}"
    return Cause(message, "name a StorageClass that can provision it, or make a volume for it", weight=Weight.BLOCKED)
