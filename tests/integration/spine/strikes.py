"""kill -9 of one of the processes that a run consists of, at one moment that its own events tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.waiting import Pending, Waiter
from tests.integration.spine.lab_site import cluster, lab_folder
from tests.integration.spine.site import Site, Told, engine_of, kill

VICTIMS = ("caller", "engine", "both", "supervisor")


@dataclass(frozen=True)
class Moment:
    """The first event of `verb` that has this type, is of this stack, and tells of this."""

    verb: str
    type: str
    """`waiting`, `message`, `stack_started`, `stack_ended`, or the state of a resource: `started`, `done`."""
    stack: str = ""
    about: str = ""
    """Part of what is awaited or said, or of the resource's type and name."""
    more: tuple[str, ...] = ()
    """Further flags of the run."""
    seen: ObjectRef | None = None
    """What must then stand in the cluster before the blow falls."""

    def matches(self, event: Told) -> bool:
        kind = event["state"] if event["type"] == "resource_changed" else event["type"]
        return kind == self.type and self.stack in ("", _stack(event)) and self.about in _about(event)


def _stack(event: Told) -> str:
    return str(event.get("stack") or event.get("result", {}).get("stack", ""))


def _about(event: Told) -> str:
    said = event.get("what") or event.get("text")
    return str(said or f"{event.get('resource_type', '')} {event.get('resource_name', '')}")


Resource = tuple[str, str, str]


@dataclass
class Struck:
    """How a run that was struck went."""

    came: bool = False
    inside: bool = False
    """Whether a Create or Delete had changed the world, as it awaited or as was seen, and never answered."""
    code: int = 0
    begun: set[Resource] = field(default_factory=set)
    """Resources whose operation has started and was not done."""

    def hear(self, event: Told) -> None:
        if event["type"] == "resource_changed":
            key = (event["stack"], event["resource_type"], event["resource_name"])
            if event["state"] == "started":
                self.begun.add(key)
            elif event["state"] == "done":
                self.begun.discard(key)


def strike(site: Site, moment: Moment, victim: str) -> Struck:
    """Run and kill; waits for the run to end, which it must do by itself when something else was killed."""
    struck = Struck()
    within: set[Resource] = set()

    def on_event(event: Told, pid: int) -> bool:
        struck.hear(event)
        if not struck.came and moment.matches(event):
            await_seen(site, moment.seen)
            for target in targets(site, victim, pid):
                kill(target)
            struck.came = True
            within.update(key for key in struck.begun if key[0] == event.get("stack"))
        return False

    struck.code = site.until(on_event, moment.verb, site.environment, "--yes", *moment.more)
    struck.inside = (moment.type == "waiting" or moment.seen is not None) and bool(within & struck.begun)
    return struck


def await_seen(site: Site, ref: ObjectRef | None) -> None:
    if ref is not None:
        with cluster(site) as client:
            Waiter(30, every=0.005).until(lambda: client.get(ref) is not None or Pending(str(ref)))


def targets(site: Site, victim: str, pid: int) -> Iterator[int]:
    engine = engine_of(pid)
    if victim in ("engine", "both") and engine is not None:
        yield engine
    if victim in ("caller", "both"):
        yield pid
    folder = lab_folder(site)
    if victim == "supervisor" and folder is not None and (folder / "lab.json").exists():
        yield json.loads((folder / "lab.json").read_text())["pid"]
