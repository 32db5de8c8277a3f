"""Pods that hold devices of their nodes by ResourceClaims (Kubernetes' Dynamic Resource Allocation). Pure.

A claim is read alike in every version that has structured parameters, from v1alpha3 to v1 (k8s.io/api resource).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.needs import DeviceDrivers

RESOURCE_CLAIM: Final = ("resource.k8s.io", "ResourceClaim")
ENDED: Final = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True, order=True)
class HeldDevice:
    """A device that a pod holds, and the claim by which it does."""

    driver: str
    claim: str


def node_of(pod: Object) -> str:
    """Return the node that a pod has and has not ended on; empty when there is none."""
    ended = (pod.get("status") or {}).get("phase") in ENDED
    return "" if ended else str((pod.get("spec") or {}).get("nodeName") or "")


def left_without_drivers(
    drivers: DeviceDrivers, everything: Mapping[str, Object], going: Collection[str]
) -> dict[str, list[HeldDevice]]:
    """Return the devices by uid of the pod that loses them, once what `going` names by uid is gone.

    Where no program of the software runs, as on a node whose driver is the host's, it takes nothing along.
    """
    driven = {node_of(everything[uid]) for uid in going if _serves(drivers, everything[uid])}
    found: dict[str, list[HeldDevice]] = {}
    for claim in everything.values():
        for uid, device in _reserved(claim):
            node = node_of(everything.get(uid, {}))
            if node in driven and node and device.driver in drivers.names:
                found.setdefault(uid, []).append(device)
    return {uid: sorted(devices) for uid, devices in found.items()}


def _serves(drivers: DeviceDrivers, obj: Object) -> bool:
    labels = obj["metadata"].get("labels") or {}
    return obj["kind"] == "Pod" and any(labels.get(key) == value for key, value in drivers.programs)


def _reserved(claim: Object) -> Iterator[tuple[str, HeldDevice]]:
    """Yield the uid of each pod that an allocated claim is reserved for, with each device that the claim has."""
    if (claim["apiVersion"].rpartition("/")[0], claim["kind"]) != RESOURCE_CLAIM:
        return
    status = claim.get("status") or {}
    results = ((status.get("allocation") or {}).get("devices") or {}).get("results") or ()
    devices = {HeldDevice(result["driver"], claim["metadata"]["name"]) for result in results}
    for consumer in status.get("reservedFor") or ():
        if (consumer.get("apiGroup") or "", consumer["resource"]) == ("", "pods"):
            yield from ((consumer["uid"], device) for device in devices)
