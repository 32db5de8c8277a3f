"""Find the cause of an API server's refusal from its message and the objects that it names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.diagnosis.cause import Cause
from aiinfra.domains.kubernetes.diagnosis.kinds import missing_kind
from aiinfra.domains.kubernetes.diagnosis.messages import REFUSED, cause_of_message, one_line
from aiinfra.domains.kubernetes.diagnosis.pods import grouped_causes
from aiinfra.domains.kubernetes.diagnosis.snapshot import Snapshot, name
from aiinfra.domains.kubernetes.objects.blockers import deletion_blocker, unavailable_apis, waits_for_apis

_CALL = re.compile(r"failed calling webhook \"(?P<hook>[^\"]+)\"(?P<why>.*)", re.S)
_DENIED = re.compile(r"admission webhook \"(?P<hook>[^\"]+)\" denied the request:? ?(?P<why>.*)", re.S)
_TERMINATING = re.compile(r"namespace (?P<place>\S+) because it is being terminated")
WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")


def refusal_cause(snapshot: Snapshot, text: str) -> Cause:
    """Return the cause of a refusal; the message itself where nothing better is known."""
    if call := _CALL.search(text):
        return _webhook_unreachable(snapshot, call["hook"], call["why"])
    if denied := _DENIED.search(text):
        return Cause(f"webhook {denied['hook']} denies it: {one_line(denied['why'])}", "do what it asks for")
    if (ending := _TERMINATING.search(text)) and (place := snapshot.find("Namespace", ending["place"])):
        return termination_cause(snapshot, place)
    return missing_kind(snapshot, text) or cause_of_message(REFUSED, text, {})


def termination_cause(snapshot: Snapshot, place: Object) -> Cause:
    """Return the cause for a namespace that is being deleted, with what holds it up."""
    because = Cause(deletion_blocker(place), "remove what it names, or its finalizers")
    if waits_for_apis(place) and (found := unavailable_apis(snapshot.all("APIService"))):
        because = Cause(found.why, found.hint)
    return Cause(f"namespace {name(place)} is being deleted", because=(because,))


def _webhook_unreachable(snapshot: Snapshot, hook: str, why: str) -> Cause:
    configuration, client = next(_hooks(snapshot, hook), (None, {}))
    called = ObjectRef.of(configuration) if configuration else f"webhook {hook}"
    service = client.get("service") or {}
    target = f"service {service['namespace']}/{service['name']}" if service else client.get("url", "its server")
    problem = _service_problem(snapshot, service) if service else None
    hint = f"bring its server back, or delete {called}"
    return Cause(
        f"{called} calls {target}, which does not answer: {_network(why)}",
        hint,
        because=(problem,) if problem else (),
    )


def _hooks(snapshot: Snapshot, hook: str) -> Iterator[tuple[Object, Mapping[str, Any]]]:
    for kind in WEBHOOKS:
        for configuration in snapshot.all(kind):
            for entry in configuration.get("webhooks") or ():
                if entry["name"] == hook:
                    yield configuration, entry.get("clientConfig") or {}


def _service_problem(snapshot: Snapshot, target: Mapping[str, Any]) -> Cause | None:
    """Return what is wrong with the service of a webhook, or with its pods."""
    place, called = target["namespace"], target["name"]
    service = snapshot.find("Service", called, place)
    if service is None:
        return Cause(f"service {place}/{called} does not exist", "install what brings it, or delete the webhook")
    selector = service["spec"].get("selector") or {}
    found = [pod for pod in snapshot.all("Pod") if _selected(pod, place, selector)]
    if not found:
        return Cause(f"service {place}/{called} has no pod", "start its Deployment, or delete the webhook")
    return next(grouped_causes(snapshot, found, called), None)


def _selected(pod: Object, place: str, selector: Mapping[str, str]) -> bool:
    metadata = pod["metadata"]
    carried = metadata.get("labels") or {}
    return bool(selector) and metadata.get("namespace") == place and selector.items() <= carried.items()


def _network(why: str) -> str:
    """Return the innermost error of a chain of Go errors: `connection refused`."""
    return one_line(why.strip(" :").rpartition(": ")[2] or "no reason given")
