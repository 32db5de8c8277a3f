"""What a run makes of its stacks' outcomes, over a runner in memory: no engine, no lab, milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aiinfra.catalog import Catalog
from aiinfra.domain import Domain
from aiinfra.domain_run import Comparison, RunContext
from aiinfra.engine.events import Message
from aiinfra.engine.host_records import OperationResult
from aiinfra.errors import OutsideError
from aiinfra.plan.planner import Step
from aiinfra.report.run import Outcome, Verb
from aiinfra.session.options import Options
from aiinfra.session.steps.preview import preview
from aiinfra.session.steps.refresh import refresh
from aiinfra.session.verbs.run_stacks import run_stacks
from aiinfra.session.verbs.up import up
from aiinfra.stack import StackName
from tests.unit.session.kinds import PART, PartInputs
from tests.unit.session.site import THREE, Site, outcomes


def test_a_second_up_runs_nothing(site: Site) -> None:
    assert outcomes(up(site.run())) == {"a": ("changed", ""), "b": ("changed", ""), "c": ("changed", "")}
    site.runner.operations.clear()
    again = up(site.run())
    assert outcomes(again) == dict.fromkeys("abc", ("unchanged", "inputs_unchanged"))
    assert (site.runner.operations, again.exit_code) == ([], 0)


def test_another_limit_alone_runs_nothing(site: Site) -> None:
    up(site.run())
    site.runner.operations.clear()
    site.stacks = {**THREE, "a": {"limit": "2m"}}
    inputs = site.run().plan.steps[StackName("a")].inputs
    assert isinstance(inputs, PartInputs)
    assert inputs.limit == 120
    assert outcomes(up(site.run()))["a"] == ("unchanged", "inputs_unchanged")
    assert site.runner.operations == []


def test_without_skip_every_stack_runs_and_says_that_nothing_differed(site: Site) -> None:
    up(site.run())
    for name in "abc":
        site.runner.results[Verb.UP, name] = OperationResult({"same": 2}, {"text": f"made {name}"})
    assert outcomes(up(site.run(Options(skip=False)))) == dict.fromkeys("abc", ("unchanged", "no_difference"))


def test_a_failure_blocks_what_needs_it_and_is_kept_for_why(site: Site) -> None:
    site.runner.fails(Verb.UP, "a", "the disk is full")
    report = up(site.run())
    assert outcomes(report) == {
        "a": ("failed", ""),
        "b": ("blocked", "needed_failed"),
        "c": ("blocked", "needed_failed"),
    }
    assert (report.exit_code, report.results[1].related, report.results[1].related_outcome) == (4, "a", Outcome.FAILED)
    failure = site.journal.failure("a")
    assert failure is not None
    assert (failure.verb, failure.error.message, failure.error.where) == ("up", "the disk is full", "a")


def test_what_changed_upstream_runs_what_refers_to_it(site: Site) -> None:
    up(site.run())
    site.runner.operations.clear()
    site.runner.succeeds(Verb.UP, "a", {"update": 1}, text="made anew")
    site.stacks = {**THREE, "a": {"note": "changed"}}
    report = up(site.run())
    assert outcomes(report)["a"] == ("changed", "")
    assert [stack for _, stack in site.runner.operations] == ["a", "b", "c"]


PROVED = {"a": {}, "b": {"after": "${a.text}"}, "proof": {"kind": "proof", "after": "${b.text}"}}


def test_a_proof_runs_again_after_a_change_that_leaves_all_outputs_as_they_were(tmp_path: Path) -> None:
    site = Site(tmp_path, PROVED)
    up(site.run())
    before = site.token("proof")
    assert outcomes(up(site.run()))["proof"] == ("unchanged", "inputs_unchanged")
    assert site.token("proof") == before

    site.stacks = {**PROVED, "a": {"note": "another driver"}}
    up(site.run(only=("a", "b")))
    assert site.token("proof") != before
    assert outcomes(up(site.run()))["proof"] == ("changed", "")


def test_a_proof_runs_again_after_a_stack_under_it_failed_and_came_back(tmp_path: Path) -> None:
    site = Site(tmp_path, PROVED)
    up(site.run())
    site.stacks = {**PROVED, "a": {"note": "another driver"}}
    site.runner.fails(Verb.UP, "a", "no image for this kernel")
    assert outcomes(up(site.run()))["proof"] == ("blocked", "needed_failed")
    site.stacks = PROVED
    site.runner.results[Verb.UP, "a"] = OperationResult({"same": 2}, {"text": "made a"})
    assert outcomes(up(site.run()))["proof"] == ("changed", "")


def test_a_proof_that_failed_runs_again_with_the_inputs_of_its_last_success(tmp_path: Path) -> None:
    site = Site(tmp_path, PROVED)
    up(site.run())
    before = site.token("proof")
    site.stacks = {**PROVED, "proof": {**PROVED["proof"], "note": "a shorter limit"}}
    site.runner.fails(Verb.UP, "proof", "a node is cordoned")
    assert outcomes(up(site.run()))["proof"] == ("failed", "")
    site.stacks = PROVED
    site.runner.succeeds(Verb.UP, "proof", {"update": 1}, text="made proof")
    up(site.run())
    assert site.token("proof") != before


def test_a_preview_of_a_change_under_a_proof_would_prove_again(tmp_path: Path) -> None:
    site = Site(tmp_path, PROVED)
    up(site.run())
    before = site.token("proof")
    site.stacks = {**PROVED, "a": {"note": "another driver"}}
    site.runner.results[Verb.PREVIEW, "a"] = OperationResult({"update": 1}, {"text": "made a"})
    previewed = site.run()
    run_stacks(previewed, Verb.PREVIEW, preview)
    assert previewed.context(previewed.plan.steps[StackName("proof")]).proof != before
    assert site.token("proof") == before


def test_a_stack_alone_needs_what_it_refers_to(site: Site) -> None:
    report = up(site.run(only=("b",)))
    error = report.results[0].error
    assert error is not None
    assert (error.code, error.message) == ("run.upstream_missing", "a is not up, so its outputs are not known")


def test_an_interrupted_operation_is_no_failure(site: Site) -> None:
    site.runner.results[Verb.UP, "a"] = OperationResult({"create": 1}, {}, "cancelled", "interrupted", interrupted=True)
    assert outcomes(up(site.run()))["a"] == ("interrupted", "stopped")


def test_a_preview_says_what_is_unknown_until_an_up(site: Site) -> None:
    for name in "abc":
        site.runner.results[Verb.PREVIEW, name] = OperationResult({"create": 1}, {})
    report = run_stacks(site.run(), Verb.PREVIEW, preview)
    assert [(one.certainty, one.unknown_outputs) for one in report.results] == [
        ("exact", ["text"]),
        ("unknown until a: text", ["text"]),
        ("unknown until b: text", ["text"]),
    ]
    assert site.runner.stacks == {}


def test_a_refresh_says_which_drift_the_next_up_repairs(site: Site) -> None:
    up(site.run())
    site.runner.results[Verb.REFRESH, "a"] = OperationResult({"update": 1}, {})
    lines = ["ConfigMap n/c is gone"]
    site.runner.deployments["a"] = {"resources": [{"type": "aiinfra:x:Y", "outputs": {"drift": lines}}]}
    site.runner.deployments["b"] = {
        "resources": [{"type": "aiinfra:x:Y", "outputs": {"drift": ["crd is gone, and no upgrade brings it back: x"]}}]
    }
    site.runner.results[Verb.REFRESH, "b"] = OperationResult({"update": 1}, {})
    report = run_stacks(site.run(), Verb.REFRESH, refresh)
    assert outcomes(report) == {
        "a": ("changed", "drifted"),
        "b": ("changed", "drifted_partly_repairable"),
        "c": ("unchanged", "as_recorded"),
    }
    assert report.results[0].drift == ("ConfigMap n/c is gone",)
    site.runner.operations.clear()
    up(site.run())
    assert [stack for _, stack in site.runner.operations] == ["a", "b"]


def test_a_refresh_asked_of_an_up_reads_every_stack_first(site: Site) -> None:
    up(site.run())
    up(site.run(Options(refresh=True)))
    assert site.runner.read_first == ["a", "b", "c"]


def test_a_failed_proof_lets_the_next_up_read_what_it_proves(tmp_path: Path) -> None:
    site = Site(tmp_path, {"a": {}, "p": {"kind": "proof", "after": "${a.text}"}})
    site.runner.fails(Verb.UP, "p", "no GPU is allocatable")
    up(site.run())
    assert site.runner.read_first == []
    site.runner.succeeds(Verb.UP, "p", {"create": 1}, text="proved")
    report = up(site.run())
    assert outcomes(report) == {"a": ("changed", ""), "p": ("changed", "")}
    assert site.runner.read_first == ["a", "p"]
    said = [event.text for event in site.events if isinstance(event, Message)]
    assert said == ["a is not as it was: the proof p failed"]
    site.runner.operations.clear()
    assert up(site.run()).exit_code == 0
    assert site.runner.operations == []


class Hidden:
    """The world of a domain that does not answer when it is asked what a stack made."""

    def snapshot(self, run: RunContext, step: Step) -> Mapping[str, str]:
        raise OutsideError("10.0.0.5:443 does not answer", code="hidden.unreachable")

    def changes(self, run: RunContext, snapshots: Mapping[StackName, Any]) -> Comparison:
        return Comparison({})


hidden = Hidden()


class HalfHidden:
    """The world of a domain with two places, one of which no longer answers; in the other something is gone."""

    def snapshot(self, run: RunContext, step: Step) -> Mapping[str, str]:
        return {"seen": step.name}

    def changes(self, run: RunContext, snapshots: Mapping[StackName, Any]) -> Comparison:
        silent = OutsideError("10.0.0.5:443 does not answer", code="hidden.unreachable")
        return Comparison({StackName("a"): ["a part is gone"]}, {StackName("b"): silent, StackName("c"): silent})


half_hidden = HalfHidden()


def test_a_place_that_does_not_answer_hides_only_what_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    domain = Domain("half", "Two places.", world=f"{__name__}:half_hidden")
    monkeypatch.setattr("aiinfra.catalog.domains", lambda: {"half": domain})
    site = Site(tmp_path, {"a": {}, "b": {}, "c": {}}, Catalog.of(replace(PART, domains=("half",))))
    assert up(site.run()).exit_code == 0
    site.runner.operations.clear()
    assert up(site.run()).exit_code == 0
    assert [stack for _, stack in site.runner.operations] == ["a"]
    assert [event.text for event in site.events if isinstance(event, Message)] == [
        "whether b, c are as they were is not known: 10.0.0.5:443 does not answer",
        "a is not as it was: a part is gone",
    ]


def test_a_stack_whose_world_could_not_be_read_after_it_is_read_by_the_next_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = Domain("hidden", "A world that does not answer.", world=f"{__name__}:hidden")
    monkeypatch.setattr("aiinfra.catalog.domains", lambda: {"hidden": domain})
    site = Site(tmp_path, {"a": {}}, Catalog.of(replace(PART, domains=("hidden",))))
    assert up(site.run()).exit_code == 0
    assert up(site.run()).exit_code == 0
    assert site.runner.read_first == ["a"]
    assert [event.text for event in site.events if isinstance(event, Message)] == [
        "a is not as it was: what it made could not be read after its last success: 10.0.0.5:443 does not answer"
    ]


def test_what_was_repaired_runs_what_refers_to_it_again(site: Site) -> None:
    up(site.run())
    site.journal.suspect("a", "the proof x failed")
    site.runner.operations.clear()
    site.runner.results[Verb.UP, "b"] = OperationResult({"same": 2}, {"text": "made b"})
    report = up(site.run())
    assert [stack for _, stack in site.runner.operations] == ["a", "b", "c"]
    assert outcomes(report)["b"] == ("unchanged", "no_difference")


def test_a_failure_in_the_words_of_a_plugin_says_what_failed_and_not_how_many(site: Site) -> None:
    site.runner.fails(Verb.UP, "a", '1 error occurred:\n\t* Helm release "a/b": pre-upgrade hooks failed\n\n')
    error = up(site.run()).results[0].error
    assert error is not None
    assert error.message == 'Helm release "a/b": pre-upgrade hooks failed'
