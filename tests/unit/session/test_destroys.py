"""What a destroy does, in which order, and what it stops for, over a runner in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from aiinfra.catalog import Catalog
from aiinfra.domain import Domain
from aiinfra.domain_run import DestroyRequest, RunContext, SweepReport
from aiinfra.errors import ConfigError, ErrorRecord
from aiinfra.report.run import Dependent, Outcome, Reason, Shared, Verb
from aiinfra.session.options import Options
from aiinfra.session.verbs.destroy import destroy
from aiinfra.session.verbs.up import up
from tests.unit.session.kinds import PART
from tests.unit.session.site import Site


def test_a_destroy_goes_backwards_and_ends_with_the_place(site: Site) -> None:
    up(site.run())
    site.runner.operations.clear()
    report = destroy(site.run())
    assert [stack for _, stack in site.runner.operations] == ["c", "b", "a"]
    assert (report.exit_code, report.nothing_left) == (0, ("state (0 stacks)",))
    assert site.journal.environment_id() is None


def test_a_destroy_that_fails_keeps_what_it_needs(site: Site) -> None:
    up(site.run())
    site.runner.fails(Verb.DESTROY, "b", "it is in use")
    report = destroy(site.run())
    assert {one.stack: one.outcome for one in report.results} == {
        "c": Outcome.DESTROYED,
        "b": Outcome.FAILED,
        "a": Outcome.BLOCKED,
    }
    assert (report.exit_code, set(site.runner.stacks)) == (4, {"a", "b"})


def test_a_destroy_of_nothing_says_that_nothing_was_there(site: Site) -> None:
    report = destroy(site.run())
    assert {one.reason for one in report.results} == {Reason.NOT_THERE}


def test_a_destroy_of_one_stack_is_refused_while_another_needs_it(site: Site) -> None:
    up(site.run())
    site.runner.operations.clear()
    with pytest.raises(ConfigError, match="b still needs a"):
        destroy(site.run(only=("a",)))
    assert site.runner.operations == []


def test_nothing_can_be_forgotten_where_no_stack_gives_access(site: Site) -> None:
    with pytest.raises(ConfigError, match="a gives access to no cluster"):
        destroy(site.run(Options(forget=("a",))))


class SharedShelves:
    """The world of a domain in which somebody else uses what stack `a` brought."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def teardown(self, run: RunContext, request: DestroyRequest) -> SharedShelves:
        return self

    @property
    def forgettable(self) -> list[str]:
        return []

    def forgotten(self) -> Mapping[str, str]:
        return {}

    def prepare(self) -> list[str]:
        return []

    def dependents(self) -> list[Dependent]:
        return [Dependent("a", f"box {number}", "lost with shelf s") for number in range(14)]

    def release(self) -> None:
        self.done.append("released")

    def shared(self) -> list[Shared]:
        return [Shared("a", "shelf", "s", removed=True), Shared("a", "shelf", "t", removed=False, why="it was there")]

    def sweep(self) -> SweepReport:
        self.done.append("swept")
        return SweepReport()

    @contextmanager
    def attend(self, run: RunContext, stack: str) -> Iterator[list[str]]:
        left_out: list[str] = []
        yield left_out
        left_out.append(f"the last step of {stack}, which could not run")


shared_world = SharedShelves()


@pytest.fixture
def used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    domain = Domain("shelves", "Shelves for boxes.", world=f"{__name__}:shared_world")
    monkeypatch.setattr("aiinfra.catalog.domains", lambda: {"shelves": domain})
    monkeypatch.setattr(f"{__name__}.shared_world", SharedShelves())
    site = Site(tmp_path, {"a": {}, "b": {}}, Catalog.of(replace(PART, domains=("shelves",))))
    up(site.run())
    site.runner.operations.clear()
    return site


def test_a_destroy_that_would_cost_others_something_stops_before_it(used: Site) -> None:
    with pytest.raises(ConfigError) as stopped:
        destroy(used.run())
    (record,) = stopped.value.records()
    named = ", ".join(f"box {number}" for number in range(12))
    assert record == ErrorRecord(
        "destroy.dependents",
        "a",
        f"others' {named} and 2 more would be lost with shelf s",
        "remove it yourself, or add --with-dependents to let it go along",
    )
    assert (used.runner.operations, shared_world.done, set(used.runner.stacks)) == ([], [], {"a", "b"})


def test_with_consent_it_takes_them_along_and_says_so(used: Site) -> None:
    report = destroy(used.run(Options(take_along=lambda dependents: len(dependents) == 14)))
    assert (report.exit_code, len(report.dependents)) == (0, 14)
    assert [(one.name, one.removed, one.why) for one in report.shared] == [
        ("s", True, ""),
        ("t", False, "it was there"),
    ]
    assert shared_world.done == ["released", "swept"]
    assert {one.stack: one.left_out for one in report.results} == {
        "b": ("the last step of b, which could not run",),
        "a": ("the last step of a, which could not run",),
    }
