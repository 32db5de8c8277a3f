"""What runs, `status` and `why` tell one to run is run as it is printed, in the situation it is printed for."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.integration.spine.site import Site, Told, follow, kill

pytestmark = pytest.mark.engine
Make = Callable[..., Site]


def chain(site: Site, **changes: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Stacks a, b and c: each needs the one before."""
    thing = {"kind": "things", "count": 1, "folder": str(site.things)}
    stacks = {"a": thing, "b": {**thing, "after": "${a.last}"}, "c": {**thing, "after": "${b.last}"}}
    return {name: {**stack, **changes.get(name, {})} for name, stack in stacks.items()}


def test_what_a_run_tells_one_to_run_helps(make_site: Make) -> None:
    site = make_site({})
    site.write(chain(site))
    follow(site, site.run("up", "world").stderr, "preview world")
    assert site.run("up", "world", "--yes", "--output", "json", "--events", "ndjson").returncode == 2
    assert site.run("up", "world", "--yes", "--events", "ndjson", "--until", "a").returncode == 0

    alone = site.run("up", "world", "--yes", "--only", "c")
    follow(site, alone.stdout, "up world --until b")
    assert site.run("up", "world", "--yes", "--only", "c").returncode == 0

    follow(site, site.run("destroy", "world").stderr, "status world")
    refused = site.run("destroy", "world", "--yes", "--only", "a")
    assert "b still needs a" in refused.stderr
    assert "→ add --only b --only c\n" in refused.stderr
    whole = site.run("destroy", "world", "--yes", "--only", "a", "--only", "b", "--only", "c")
    assert (whole.returncode, site.inventory()) == (0, [])


def test_status_and_why_tell_what_helps(make_site: Make) -> None:
    site = make_site({})
    site.write(chain(site, b={"fail": "out of things"}))
    assert site.run("up", "world", "--yes").returncode == 4
    why = follow(site, site.run("status", "world").stdout, "why world b")
    follow(site, site.run("why", "world", "c").stdout, "why world b")
    site.write(chain(site))
    follow(site, why, "up world")

    site.write(chain(site, b={"delay": 60, "text": "slow"}, c={"text": "other"}))
    during: list[str] = []

    def look(event: Told, pid: int) -> bool:
        if event["type"] == "waiting" and event["stack"] == "b":
            during.append(follow(site, site.run("why", "world", "b").stdout, "status world"))
            kill(pid, signal.SIGINT)
        return bool(during)

    assert site.until(look, "up", "world", "--yes") == 130
    assert "running" in during[0]
    interrupted = site.run("status", "world").stdout
    site.write(chain(site, b={"text": "slow"}, c={"text": "other"}))
    follow(site, interrupted, "up world")
    assert "interrupted" not in site.run("status", "world").stdout

    def stop(event: Told, pid: int) -> bool:
        if event["type"] == "waiting" and event["stack"] == "b":
            kill(pid, signal.SIGINT)
            return True
        return False

    site.write(chain(site, b={"delay": 0.5, "count": 3}))
    assert site.run("up", "world", "--yes").returncode == 0
    assert site.until(stop, "destroy", "world", "--yes") == 130
    status, why = site.run("status", "world").stdout, site.run("why", "world", "b").stdout
    assert re.search(r"b +things +partly destroyed", status), status
    follow(site, status, "up world")
    assert site.until(stop, "destroy", "world", "--yes") == 130
    follow(site, why, "destroy world")
    assert site.inventory() == []
