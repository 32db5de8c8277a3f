"""What stands behind a refusal of the API server, from its words and the objects they name. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.diagnosis.cause import Cause
from aiinfra.domains.kubernetes.diagnosis.kinds import missing_kind
from aiinfra.domains.kubernetes.diagnosis.pods import alike
from aiinfra.domains.kubernetes.diagnosis.readings import REFUSED, clean, read
from aiinfra.domains.kubernetes.diagnosis.scene import Scene, name
from aiinfra.domains.kubernetes.objects.removing import why_still_there

_CALL = re.compile(r"failed calling webhook \"(?P<hook>[^\"]+)\"(?P<why>.*)", re.S)
_DENIED = re.compile(r"admission webhook \"(?P<hook>[^\"]+)\" denied the request:? ?(?P<why>.*)", re.S)
_TERMINATING = re.compile(r"namespace (?P<place>\S+) because it is being terminated")
WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")


def refused(scene: Scene, text: str) -> Cause:
    if call := _CALL.search(text):
        return _uncalled(scene, call["hook"], call["why"])
    if denied := _DENIED.search(text):
        return Cause(f"webhook {denied['hook']} denies it: {clean(denied['why'])}", "do what it asks for")
    if (ending := _TERMINATING.search(text)) and (place := scene.find("Namespace", ending["place"])):
        return terminating(place)
    return missing_kind(scene, text) or read(REFUSED, text, {})


def terminating(place: Object) -> Cause:
    """A namespace that is being deleted, and what holds it."""
    because = (Cause(why_still_there(place), "remove what it names, or its finalizers"),)
    return Cause(f"namespace {name(place)} is being deleted", because=because)


def _uncalled(scene: Scene, hook: str, why: str) -> Cause:
    configuration, client = next(_hooks(scene, hook), (None, {}))
    called = ObjectRef.of(configuration) if configuration else f"webhook {hook}"
    service = client.get("service") or {}
    target = f"service {service['namespace']}/{service['name']}" if service else client.get("url", "its server")
    behind = _behind(scene, service) if service else None
    hint = f"bring its server back, or delete {called}"
    return Cause(
        f"{called} calls {target}, which does not answer: {_network(why)}",
        hint,
        because=(behind,) if behind else (),
    )


def _hooks(scene: Scene, hook: str) -> Iterator[tuple[Object, Mapping[str, Any]]]:
    for kind in WEBHOOKS:
        for configuration in scene.all(kind):
            for entry in configuration.get("webhooks") or ():
                if entry["name"] == hook:
                    yield configuration, entry.get("clientConfig") or {}


def _behind(scene: Scene, target: Mapping[str, Any]) -> Cause | None:
    """What is wrong behind the service of a webhook."""
    place, called = target["namespace"], target["name"]
    service = scene.find("Service", called, place)
    if service is None:
        return Cause(f"service {place}/{called} does not exist", "install what brings it, or delete the webhook")
    selector = service["spec"].get("selector") or {}
    found = [pod for pod in scene.all("Pod") if _selected(pod, place, selector)]
    if not found:
        return Cause(f"service {place}/{called} has no pod", "start its Deployment, or delete the webhook")
    return next(alike(scene, found, called), None)


def _selected(pod: Object, place: str, selector: Mapping[str, str]) -> bool:
    metadata = pod["metadata"]
    carried = metadata.get("labels") or {}
    return bool(selector) and metadata.get("namespace") == place and selector.items() <= carried.items()


def _network(why: str) -> str:
    """The end of a chain of Go errors: `connection refused`."""
    return clean(why.strip(" :").rpartition(": ")[2] or "no reason given")
