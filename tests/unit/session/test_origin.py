"""A second file of the same name is noticed; a file that moved, in CI or by hand, is not questioned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from aiinfra.catalog import Catalog
from aiinfra.engine.journal import Journal
from aiinfra.engine.notes import FileNotes
from aiinfra.errors import OutsideError
from aiinfra.model.environment import Environment, StackEntry
from aiinfra.plan.planner import plan
from aiinfra.session.fake_runner import FakeRunner
from aiinfra.session.options import Options
from aiinfra.session.origin import check_origin, note_origin
from aiinfra.session.place.place import Place
from aiinfra.session.run import Run
from aiinfra.stack import Inputs, Outputs, StackName, StackType
from tests.unit.site import a_world


class DoorInputs(Inputs):
    address: str = ""
    color: str = ""


DOORS = Catalog.of(
    StackType("door", "A door.", DoorInputs, Outputs, "none:none", connection=("address",)),
    StackType("gate", "A gate.", DoorInputs, Outputs, "none:none"),
)
Stacks = Mapping[str, Mapping[str, str]]
DOOR: Stacks = {"door": {"kind": "door", "address": "here"}}


class State:
    """One state that several files work on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = Journal(FileNotes(folder / "notes"))
        self.runner = FakeRunner()

    def run(self, file: str, stacks: Stacks, options: Options = Options()) -> tuple[Run, Path]:  # noqa: B008  a value
        path = self.folder / file
        path.parent.mkdir(exist_ok=True)
        path.touch()
        entries = {
            StackName(name): StackEntry(kind=one["kind"], inputs={k: v for k, v in one.items() if k != "kind"})
            for name, one in stacks.items()
        }
        place = Place("file:///nowhere", "passphrase", "a passphrase", {}, self.journal.notes)
        run = Run(
            world=a_world(self.folder),
            plan=plan(Environment(version="v1", name="site", stacks=entries), DOORS),
            place=place,
            runner=self.runner,
            journal=self.journal,
            secret=lambda source: "",
            on_event=lambda event: None,
            options=options,
            environment_id="0123456789ab",
        )
        return run, path

    def made_by(self, file: str, stacks: Stacks) -> None:
        run, path = self.run(file, stacks)
        check_origin(run, path)
        note_origin(run, path)
        for name in stacks:
            self.runner.stacks[name] = {}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    monkeypatch.setattr("socket.gethostname", lambda: "desk")
    return State(tmp_path)


def refusal(state: State, file: str, stacks: Stacks, *, destroys: bool = False) -> str:
    run, path = state.run(file, stacks)
    with pytest.raises(OutsideError) as caught:
        check_origin(run, path, destroys=destroys)
    assert (caught.value.record.code, caught.value.exit_code) == ("state.another_file", 3)
    return caught.value.record.message.replace(f"{state.folder}/", "")


def test_a_file_without_any_of_the_stacks_is_another_one(state: State) -> None:
    state.made_by("a/site.yaml", DOOR)
    others: Stacks = {"other": {"kind": "door"}}
    assert refusal(state, "b/site.yaml", others) == (
        "this state has an environment site already, made from a/site.yaml on desk: b/site.yaml has none of its stacks"
        " (door)"
    )
    assert "b/site.yaml has none of its stacks" in refusal(state, "b/site.yaml", others, destroys=True)
    (state.folder / "a/site.yaml").unlink()
    assert "b/site.yaml has none of its stacks" in refusal(state, "b/site.yaml", others)


def test_a_stack_of_another_kind_is_another_stack(state: State) -> None:
    state.made_by("a/site.yaml", DOOR)
    assert "has none of its stacks (door)" in refusal(state, "b/site.yaml", {"door": {"kind": "gate"}})


def test_the_word_of_the_user_is_taken(state: State) -> None:
    state.made_by("a/site.yaml", DOOR)
    run, path = state.run("b/site.yaml", {"other": {"kind": "door"}}, Options(moved=True))
    check_origin(run, path)
    note_origin(run, path)
    run, path = state.run("b/site.yaml", {"other": {"kind": "door"}})
    check_origin(run, path)


def test_a_file_may_be_edited_in_its_place(state: State) -> None:
    state.made_by("a/site.yaml", DOOR)
    run, path = state.run("a/site.yaml", {"other": {"kind": "gate"}})
    check_origin(run, path)
    check_origin(run, path, destroys=True)


@pytest.mark.parametrize("destroys", [False, True])
def test_a_checkout_that_moved_or_a_second_one_is_the_same_file(state: State, destroys: bool) -> None:
    state.made_by("a/site.yaml", DOOR)
    run, path = state.run("b/site.yaml", {**DOOR, "more": {"kind": "gate"}})
    check_origin(run, path, destroys=destroys)
    (state.folder / "a/site.yaml").unlink()
    check_origin(run, path, destroys=destroys)


def test_ci_may_have_another_connection_in_an_edited_file(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    state.made_by("a/site.yaml", DOOR)
    monkeypatch.setattr("socket.gethostname", lambda: "runner-7")
    run, path = state.run("b/site.yaml", {"door": {"kind": "door", "address": "there", "color": "red"}})
    check_origin(run, path)
    assert refusal(state, "b/site.yaml", {"door": {"kind": "door", "address": "there"}}, destroys=True) == (
        "this state has an environment site already, made from a/site.yaml on desk: the stack door is connected"
        " differently in b/site.yaml"
    )


def test_a_copy_with_another_connection_is_another_file_while_the_first_is_there(state: State) -> None:
    state.made_by("a/site.yaml", DOOR)
    copy: Stacks = {"door": {"kind": "door", "address": "there"}}
    assert "the stack door is connected differently in b/site.yaml" in refusal(state, "b/site.yaml", copy)
    (state.folder / "a/site.yaml").unlink()
    run, path = state.run("b/site.yaml", copy)
    check_origin(run, path)


def test_where_nothing_exists_any_file_may_begin(state: State) -> None:
    run, path = state.run("a/site.yaml", DOOR)
    note_origin(run, path)
    run, path = state.run("b/site.yaml", {"other": {"kind": "door"}})
    check_origin(run, path)


def test_a_lab_has_a_state_for_each_file(state: State) -> None:
    state.made_by("a/site.yaml", DOOR)
    run, path = state.run("b/site.yaml", {"other": {"kind": "door"}})
    run.place = replace(run.place, official_plugins=False)
    check_origin(run, path)


@pytest.mark.parametrize("note", [b"", b"{}", b"[]", b"\xff", b'{"host": "x"}'])
def test_a_damaged_note_counts_for_nothing(state: State, note: bytes) -> None:
    state.made_by("a/site.yaml", DOOR)
    state.journal.notes.put("origin.json", note)
    run, path = state.run("b/site.yaml", {"other": {"kind": "door"}})
    check_origin(run, path)
