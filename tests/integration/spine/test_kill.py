"""kill -9 at any moment of `up` and `destroy`: the next run converges, nothing is doubled, nothing is orphaned.

The world is asked (files that the things leave), not the state. A `waiting` event of a thing comes from inside a
Create or Delete that has changed the world and has not answered.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.integration.spine.site import Site, Told, engine_of, kill

pytestmark = pytest.mark.engine

Make = Callable[..., Site]
WHOLE = [f"{stack}-{number}" for stack in ("a", "b", "c") for number in range(2)]
MOMENTS = ("waiting", "waiting", "resource_started", "resource_done", "stack_started", "stack_ended")
VICTIMS = ("caller", "engine", "both")


def world(site_folder: str) -> Mapping[str, Any]:
    thing = {"kind": "things", "count": 2, "delay": 0.15, "folder": site_folder}
    return {"a": thing, "b": {**thing, "after": "${a.last}"}, "c": thing}


def strike(victim: str, pid: int) -> None:
    engine = engine_of(pid)
    if victim in ("engine", "both"):
        kill(engine)
    if victim in ("caller", "both"):
        kill(pid)


def moment(event: Told) -> str:
    if event["type"] == "resource_changed":
        return f"resource_{event['state']}"
    return str(event["type"])


def killed_run(site: Site, verb: str, victim: str, at: str, number: int) -> bool:
    """Run `verb` and kill at the `number`-th event of that moment. True when the moment came."""
    seen = itertools.count()
    struck = False

    def on_event(event: Told, pid: int) -> bool:
        nonlocal struck
        if moment(event) == at and next(seen) == number:
            strike(victim, pid)
            struck = True
        return struck

    site.until(on_event, verb, site.environment, "--yes")
    return struck


def campaign(make_site: Make, rounds: int) -> dict[str, int]:
    """Kill again and again, half of the time before an `up`, half before a `destroy`; count moments that came."""
    site = make_site({})
    site.write(world(str(site.things)))
    came: dict[str, int] = {}
    for number in range(rounds):
        at, victim = MOMENTS[number % len(MOMENTS)], VICTIMS[(number // len(MOMENTS) + number) % len(VICTIMS)]
        standing = site.inventory() == WHOLE
        verb = "destroy" if standing else "up"
        if killed_run(site, verb, victim, at, number % 3):
            came[at] = came.get(at, 0) + 1
        following = "up" if number % 2 == 0 else "destroy"
        told = site.result(following)
        assert told["exit_code"] == 0, (number, verb, victim, at, told)
        assert site.inventory() == (WHOLE if following == "up" else []), (number, verb, victim, at)
    return came


def test_a_few_kills(make_site: Make) -> None:
    came = campaign(make_site, 9)
    assert came["waiting"] >= 3
    assert sum(came.values()) >= 8


@pytest.mark.slow
def test_thirty_kills(make_site: Make) -> None:
    came = campaign(make_site, 36)
    assert came["waiting"] >= 10
    assert sum(came.values()) >= 30
