"""What the operations of the engine host do to a stack, and what they say."""

from __future__ import annotations

from collections import Counter

import pulumi
import pytest

from aiinfra.engine.host_client import ImportedResource, Operation
from aiinfra.engine.wire import Secret
from aiinfra.report.run import Verb
from tests.integration.engine.site import LIMIT, DoorResource, Site, chain

pytestmark = pytest.mark.engine


def test_up_makes_the_resources_and_gives_the_outputs(site: Site) -> None:
    made = site.up("one", chain(3))
    assert (made.changes, made.error, made.interrupted) == ({"create": 4}, "", False)
    assert made.outputs == {"count": 3, "last": "id-door2"}


def test_a_second_up_changes_nothing(site: Site) -> None:
    site.up("one", chain(3))
    assert site.up("one", chain(3)).changes == {"same": 4}


def test_preview_of_a_new_environment_writes_nothing(site: Site) -> None:
    seen = site.preview("one", chain(3))
    assert (seen.changes, seen.error) == ({"create": 4}, "")
    assert not site.state.exists()


def test_destroy_of_n_resources_says_n_deletes_and_leaves_no_outputs(site: Site) -> None:
    site.up("one", chain(5))
    site.events.clear()
    gone = site.destroy("one")
    assert (gone.changes, gone.outputs, gone.resources) == ({"delete": 6}, {}, 0)
    assert deleted(site) == Counter({"engine:test:Door": 5, "pulumi:pulumi:Stack": 1})


def deleted(site: Site) -> Counter[str]:
    steps = [event["resOutputsEvent"]["metadata"] for event in site.events if "resOutputsEvent" in event]
    return Counter(step["type"] for step in steps if step["op"] == "delete" and "providers" not in step["type"])


def test_destroy_of_a_stack_that_never_was_is_done_already(site: Site) -> None:
    gone = site.destroy("never")
    assert (gone.changes, gone.error) == ({}, "")
    assert not site.state.exists()


def test_refresh_gives_events_and_the_outputs(site: Site) -> None:
    site.up("one", chain(2))
    site.events.clear()
    seen = site.do(Verb.REFRESH, "one")
    assert (seen.changes, seen.outputs["count"], seen.error) == ({"same": 3}, 2, "")
    assert sum("resourcePreEvent" in event for event in site.events) >= 2


def test_an_import_takes_over_what_exists(site: Site) -> None:
    site.up("one", chain(0))
    wanted = ImportedResource("engine:test:Door", "old", "id-of-old")
    site.events.clear()
    done = site.host.operate(Operation(Verb.UP, "one", resources=[wanted]), site.events.append).result(LIMIT)
    assert (done.error, done.changes["import"]) == ("", 1)
    assert any("resOutputsEvent" in event for event in site.events)
    ids = [state.get("id") for state in site.host.export("one")["deployment"]["resources"]]
    assert "id-of-old" in ids


def test_a_failed_resource_is_named_with_what_its_provider_said(site: Site) -> None:
    failed = site.up("one", chain(1, fails="the disk is full"))
    assert (failed.code, failed.error_urn) == ("failed", "urn:pulumi:one::site::engine:test:Door::door0")
    assert "the disk is full" in failed.error
    assert "the disk is full" in failed.failed_resources[0].message


def test_a_provider_that_is_not_served_is_refused_by_name(site: Site) -> None:
    def elsewhere() -> None:
        pulumi.CustomResource("gcp:compute/network:Network", "net", {})

    refused = site.up("one", elsewhere)
    assert 'provider "gcp" is not served here (served: engine)' in refused.error


def test_an_error_of_a_program_is_one_sentence_and_its_traceback_goes_to_the_log(
    site: Site, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise LookupError("no such thing")

    failed = site.up("one", broken)
    assert (failed.code, failed.failed_resources) == ("failed", ())
    assert failed.error.startswith("the program failed at test_operations.py:")
    assert failed.error.endswith("LookupError: no such thing")
    assert "in broken" in (site.folder / "programs.log").read_text()
    assert capfd.readouterr().err == ""


def test_what_the_caller_wants_hidden_is_hidden_in_a_program_error(site: Site) -> None:
    def broken() -> None:
        raise LookupError("no login for Pa55word-1")

    site.programs.register("one", broken)
    operation = Operation(Verb.UP, "one", site.programs.address, hidden=["Pa55word-1"])
    failed = site.host.operate(operation, site.events.append).result(LIMIT)
    assert failed.error.endswith("LookupError: no login for [secret]")
    assert "Pa55word" not in str(site.events)


def test_a_state_that_does_not_answer_is_said_shortly(site: Site) -> None:
    site.environ = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_MAX_ATTEMPTS": "1"}
    site.url = "s3://bucket?region=us-east-1&endpoint=127.0.0.1:9&disableSSL=true&s3ForcePathStyle=true"
    failed = site.up("one", chain(1))
    assert failed.code == "state"
    assert failed.error == "the state does not answer: dial tcp 127.0.0.1:9: connect: connection refused"


def test_a_stack_without_a_program_here_is_an_error(site: Site) -> None:
    failed = site.host.operate(Operation(Verb.UP, "lost", site.programs.address)).result(LIMIT)
    assert "stack lost has no program here" in failed.error


def test_five_megabytes_pass_through_a_resource(site: Site) -> None:
    big = "x" * 5_000_000

    def program() -> None:
        pulumi.export("big", DoorResource("big", {"text": big}).id)

    assert site.up("one", program).outputs == {"big": "id-big"}
    assert site.destroy("one").changes == {"delete": 2}


def test_stacks_are_listed_and_forgotten_when_empty(site: Site) -> None:
    assert site.host.stacks() == []
    site.up("b", chain(1))
    site.up("a", chain(1))
    assert site.host.stacks() == ["a", "b"]
    site.destroy("a")
    assert site.host.remove_stack("a") is True
    assert site.host.remove_stack("a") is False
    assert site.host.stacks() == ["b"]


def test_outputs_are_read_from_the_state(site: Site) -> None:
    def program() -> None:
        pulumi.export("plain", {"deep": [1, 2.5, True, None]})
        pulumi.export("hidden", pulumi.Output.secret("pst"))

    site.up("one", program)
    assert site.host.outputs("one") == {"plain": {"deep": [1, 2.5, True, None]}, "hidden": Secret("pst")}
    assert site.host.outputs("other") == {}


def test_twenty_stacks_run_at_once(site: Site) -> None:
    asked = {name: site.begin(Verb.UP, name, chain(3)) for name in (f"s{number}" for number in range(20))}
    assert {name: handle.result(LIMIT).changes for name, handle in asked.items()} == {
        name: {"create": 4} for name in asked
    }
    assert len(site.host.stacks()) == 20
    assert site.host.locks() == []


def test_forty_eight_waiting_creates_do_not_hold_up_another_stack(site: Site) -> None:
    def many() -> None:
        for number in range(48):
            DoorResource(f"door{number}", {"waits": True})

    site.start(parallel=48)
    waiting = site.begin(Verb.UP, "waits", many)
    site.wait_for_door(48)
    assert site.up("quick", chain(3)).changes == {"create": 4}
    site.door.open.set()
    assert waiting.result(LIMIT).changes == {"create": 49}


def test_one_stack_has_one_operation_at_a_time(site: Site) -> None:
    first = site.begin(Verb.UP, "one", chain(1, waits=True))
    site.wait_for_door()
    second = site.destroy("one")
    assert (second.code, second.error) == ("busy", "another operation runs on stack one")
    site.door.open.set()
    assert first.result(LIMIT).error == ""
