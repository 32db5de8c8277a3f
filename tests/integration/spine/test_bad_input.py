"""What a user can get wrong, and what can be wrong with the machine: one sentence, the right exit code, nothing lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.spine.lab_site import lab_folder, place_example
from tests.integration.spine.site import Site

pytestmark = pytest.mark.engine
Make = Callable[..., Site]


@pytest.mark.parametrize("verb", ["up", "preview", "refresh"])
def test_a_stack_that_does_not_exist_is_refused_before_a_lab_is_started(verb: str, make_site: Make) -> None:
    site = make_site({}, environment="lab")
    place_example(site)
    done = site.run(verb, "lab", "--only", "nfdd")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "✗ --only: no stack is named nfdd\n  → did you mean nfd?\n  code config.unknown_stack · exit 2\n"
    )
    assert lab_folder(site) is None


def test_a_damaged_state_stops_its_own_stack_and_is_named(make_site: Make) -> None:
    site = make_site({}, name="damaged")
    stacks = {name: {"kind": "things", "folder": str(site.things)} for name in ("a", "b")}
    site.write(stacks)
    assert site.result("up")["exit_code"] == 0
    checkpoint = site.state / ".pulumi" / "stacks" / "world" / "a.json"
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[:100])
    for verb in ("up", "destroy"):
        told = site.result(verb, *(["--no-skip"] if verb == "up" else []))
        assert told["exit_code"] == 4
        a, b = sorted(told["results"], key=lambda result: result["stack"])
        assert a["error"]["code"] == "engine.damaged"
        assert a["error"]["message"].startswith("the state of stack a is damaged: ")
        assert b["error"] is None
    checkpoint.write_bytes(whole)
    assert site.result("destroy")["exit_code"] == 0
    assert list(site.things.iterdir()) == []
