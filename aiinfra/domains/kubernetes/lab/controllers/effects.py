"""What a controller wants done to the API server, as values; `perform` does it."""

from __future__ import annotations

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import Conflict, NotFound
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.controllers.view import Object

MANAGER = "lab-controllers"
"""Field manager of changes that no program of a chart makes."""


@dataclass(frozen=True)
class Apply:
    """Apply the object by server-side apply; fields of other managers are taken over."""

    obj: Object
    manager: str = MANAGER


@dataclass(frozen=True)
class Create:
    """Create the object; one that exists stays as it is."""

    obj: Object


@dataclass(frozen=True)
class Count:
    """Record the event; one that exists is counted once more, and was last seen now."""

    event: Object


@dataclass(frozen=True)
class Patch:
    """Merge `body` into the object; nothing happens when it is gone."""

    ref: ObjectRef
    body: Object
    subresource: str = ""
    manager: str = MANAGER


@dataclass(frozen=True)
class Remove:
    ref: ObjectRef


Effect = Apply | Create | Count | Patch | Remove


@dataclass(frozen=True)
class Again:
    """Ask the controller again at this time, even if nothing has changed."""

    at: float
    """Seconds of the monotonic clock."""


def perform(effect: Effect, client: KubeClient) -> Object | None:
    """Carry the effect out and return the object as it is then; None when it is gone. Raises `KubeError`."""
    match effect:
        case Apply(obj, manager):
            return client.apply(obj, field_manager=manager, force=True)
        case Create(obj):
            return _create(obj, client)
        case Count(event):
            return _create(event, client) or _counted(event, client)
        case Patch():
            return _patch(effect, client)
        case Remove(ref):
            client.delete(ref)
            return None


def _create(obj: Object, client: KubeClient) -> Object | None:
    try:
        return client.create(obj, field_manager=MANAGER)
    except Conflict:
        return None


def _patch(effect: Patch, client: KubeClient) -> Object | None:
    try:
        return client.patch(effect.ref, effect.body, subresource=effect.subresource, field_manager=effect.manager)
    except NotFound:
        return None


def _counted(event: Object, client: KubeClient) -> Object | None:
    ref = ObjectRef.of(event)
    known = client.get(ref)
    if known is None:
        return None
    more = {"count": int(known.get("count", 1)) + 1, "lastTimestamp": event["lastTimestamp"]}
    return _patch(Patch(ref, more), client)
