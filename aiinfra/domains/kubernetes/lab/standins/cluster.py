"""What both resource families of the stand-in do to a cluster: apply, wait until done, delete, wait until gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.lab.standins.awaits import failed, unfinished
from aiinfra.errors import StepError
from aiinfra.providers.contract import Call
from aiinfra.waiting import Pending, Stopped, TimedOut, Waiter

FIELD_MANAGER = "pulumi-kubernetes"
PATCH_FORCE = "pulumi.com/patchForce"


class NotDone(Exception):
    """An object was applied and did not become done; the text says what it lacks."""


def apply(client: KubeClient, obj: Mapping[str, Any], *, force: bool = False) -> Object:
    """Apply an object by server-side apply, in its namespace or in `default`."""
    return client.apply(with_namespace(client, obj), field_manager=FIELD_MANAGER, force=force)


def with_namespace(client: KubeClient, obj: Mapping[str, Any]) -> Object:
    """Return the object, in the namespace `default` when its kind is namespaced and it names no namespace."""
    metadata = dict(obj["metadata"])
    if client.resource(obj["apiVersion"], obj["kind"]).namespaced:
        metadata.setdefault("namespace", "default")
    return {**obj, "metadata": metadata}


def waiter(call: Call, seconds: float) -> Waiter:
    return Waiter(limit=seconds, stop=call.stop, on_wait=call.say)


def until_done(client: KubeClient, refs: Sequence[ObjectRef], wait: Waiter) -> list[Object]:
    """Wait until each object is done, and return them. Raises `NotDone`, `Stopped`."""

    def ask() -> list[Object] | Pending:
        seen: list[Object] = []
        for ref in refs:
            obj = client.get(ref)
            if obj is None:
                return Pending(f"{ref}: it is not there")
            if lost := failed(obj):
                raise NotDone(f"{ref}: {lost}")
            if lacking := unfinished(obj):
                return Pending(f"{ref}: {lacking}")
            seen.append(obj)
        return seen

    try:
        return wait.until(ask)
    except TimedOut as error:
        raise NotDone(f"{error.last} after {wait.limit:.0f} s") from error


def until_gone(client: KubeClient, refs: Sequence[ObjectRef], wait: Waiter) -> None:
    """Wait until the objects are gone. Raises `StepError` naming what is still there, `Stopped`."""

    def ask() -> bool | Pending:
        left = next((ref for ref in refs if client.get(ref) is not None), None)
        return True if left is None else Pending(f"{left} to be gone")

    try:
        wait.until(ask)
    except TimedOut as error:
        raise StepError(
            f"still waiting for {error.last} after {wait.limit:.0f} s", hint="look for finalizers on it"
        ) from error


def interrupted_error(about: object, error: Stopped) -> StepError:
    return StepError(f"{about}: stopped while waiting", code="run.interrupted", transient=True)
