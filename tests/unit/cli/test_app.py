from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import jsonschema
import pytest

from aiinfra.cli.app import load_command
from aiinfra.cli.commands import COMMANDS
from aiinfra.cli.examples import EXAMPLES
from aiinfra.ui.schemas import result_schema
from tests.unit.cli.conftest import Aiinfra


def test_help_lists_every_command_with_one_line(aiinfra: Aiinfra) -> None:
    answer = aiinfra("--help")
    assert answer.code == 0
    assert answer.out == dedent("""\
        Usage: aiinfra [OPTIONS] COMMAND [ARGS]...

          Bring a GPU platform into the state that one file describes, and prove it.

          ENV is a path, or a name looked up in ./, ./environments/ and ./examples/.

        Options:
          --version             Print the version and leave.
          --install-completion  Install completion for the current shell.
          --show-completion     Show completion for the current shell, to copy it or
                                customize the installation.
          -h, --help            Show this message and exit.

        Change the world:
          up        Bring ENV to the state that its file describes
          destroy   Destroy all that ENV made, and prove that nothing is left
          refresh   Read the world again and record what drifted
          rehearse  Run any ENV in a throw-away lab: up, proof, destroy, verdict

        Look at the world:
          preview  Say what `up` would change, asking the engine
          doctor   Ask the outside world whether ENV can work
          status   Show the stacks of ENV as last recorded
          why      Say why a stack of ENV is as it is, and what to do
          outputs  Print what the stacks of ENV gave

        Read and write files:
          init      Write a first environment file
          validate  Check the file of ENV and name every problem
          plan      Show the stacks of ENV in order, offline
          graph     Draw the stacks of ENV and their references
          explain   Say where a value of ENV comes from
          render    Write every document that ENV would apply, as files
          kinds     List the kinds of stacks
          schema    Print a JSON Schema: environment, events, result, errors

        This machine:
          lab        The simulated world of ENV: status, stop, faults
          charts     The charts that ENV installs: mirror
          toolchain  The programs that aiinfra needs: list, install, verify, mirror
        """)


def test_no_words_at_all_are_a_question_for_help(aiinfra: Aiinfra) -> None:
    assert aiinfra().out == aiinfra("--help").out


LINES = [(command, env) for command in ("status", "validate", "plan") for env in ("small", "nowhere", "")]


@pytest.mark.parametrize(("command", "env"), [*LINES, ("up", "nowhere"), ("preview", "nowhere")])
def test_a_command_and_env_alone_answer_as_with_a_default_spelt_out(command: str, env: str, aiinfra: Aiinfra) -> None:
    assert aiinfra(command, env) == aiinfra(command, env, "--output", "text")


@pytest.mark.parametrize(
    "argv", [("validat", "small"), ("validate", "-small"), ("plan", "--yes"), ("up", "small", "-q")]
)
def test_a_line_that_is_misspelt_is_a_usage_error(argv: Sequence[str], aiinfra: Aiinfra) -> None:
    answer = aiinfra(*argv)
    assert (answer.code, answer.out) == (2, "")
    assert "see aiinfra" in answer.err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_loads_and_explains_itself(name: str, aiinfra: Aiinfra) -> None:
    assert load_command(name, COMMANDS[name]).name == name
    assert aiinfra(name, "--help").code == 0


def paths(command: Any, path: str) -> Iterator[str]:
    """The command and those below it; not those that are not shown."""
    yield path
    for name, below in getattr(command, "commands", {}).items():
        if not below.hidden:
            yield from paths(below, f"{path} {name}")


def test_every_command_has_examples() -> None:
    assert {path for name, entry in COMMANDS.items() for path in paths(load_command(name, entry), name)} == set(
        EXAMPLES
    )


@pytest.mark.parametrize(("path", "line"), [(path, line) for path, lines in EXAMPLES.items() for line in lines])
def test_an_example_is_shown_and_can_be_typed(path: str, line: str, aiinfra: Aiinfra) -> None:
    assert f"    aiinfra {line}\n" in aiinfra(*path.split(), "--help").out
    words = line.split()
    command = load_command(words[0], COMMANDS[words[0]])
    with command.make_context(words[0], words[1:]) as context:
        if below := getattr(command, "commands", {}):
            below[words[1]].make_context(words[1], words[2:], parent=context).close()


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["pln"], "✗ No such command 'pln'; did you mean 'plan', 'explain'?\n  → see aiinfra --help\n"),
        (["plan"], "✗ Missing argument 'ENV'\n  → see aiinfra plan --help\n"),
        (["up", "small", "--yess"], "✗ No such option: --yess; did you mean --yes?\n  → see aiinfra up --help\n"),
        (["up", "small", "--parallel", "0"], "✗ Invalid value for '--parallel': "),
        (["plan", "smal"], "✗ ENV: no environment is named smal: "),
        (
            ["destroy", "small"],
            "✗ destroy changes the world and there is no terminal to ask on\n  → aiinfra status small",
        ),
        (
            ["up", "small", "--summary", "a.txt"],
            "✗ --summary a.txt: a summary file ends in .md (Markdown) or .xml (JUnit)\n",
        ),
        (["up", "small", "--summary", "."], "✗ --summary .: a summary file ends in .md (Markdown) or .xml (JUnit)\n"),
        (["up", "small", "--toolchain", "small.yaml"], "✗ the toolchain folder {cwd}/small.yaml does not exist\n"),
        (["init", "small"], "✗ {cwd}/small.yaml: this file exists and is left as it is\n"),
        (["schema", "nothing"], "✗ Invalid value for 'WHAT': "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_is_exit_2_with_a_way_out(argv: list[str], says: str, aiinfra: Aiinfra) -> None:
    answer = aiinfra(*argv)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.startswith(says.format(cwd=Path.cwd()))
    assert answer.err.endswith("· exit 2\n")


@pytest.mark.parametrize(("group", "command"), [("lab", "stop"), ("toolchain", "mirror")])
def test_a_group_of_commands_alone_is_its_help(group: str, command: str, aiinfra: Aiinfra) -> None:
    answer = aiinfra(group)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(f"Usage: aiinfra {group} [OPTIONS] COMMAND [ARGS]...\n")
    assert f"\n  {command} " in answer.out


def test_a_real_site_is_never_changed_without_a_yes(aiinfra: Aiinfra, tmp_path: Path) -> None:
    text = (tmp_path / "small.yaml").read_text().replace("target: lab\n", "state: {url: 'file://x'}\n")
    (tmp_path / "small.yaml").write_text(text.replace("existing_cluster}", "existing_cluster, kubeconfig: x}"))
    answer = aiinfra("up", "small")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == dedent("""\
        ✗ up changes the world and there is no terminal to ask on
          → aiinfra preview small shows what would change, then add --yes
          code cli.approval_needed · exit 2
        """)


def test_two_machine_outputs_are_refused_in_one_of_them(aiinfra: Aiinfra) -> None:
    answer = aiinfra("up", "small", "--output", "json", "--events", "ndjson")
    assert (answer.code, answer.err) == (2, "")
    assert [error["code"] for error in answer.json["errors"]] == ["cli.two_machine_outputs"]


@pytest.mark.parametrize(
    "argv", [["plan", "smal", "--output", "json"], ["plan", "-o", "json"], ["pln", "--output=json"]], ids=" ".join
)
def test_failures_are_json_on_standard_output_alone_when_json_is_asked_for(argv: list[str], aiinfra: Aiinfra) -> None:
    answer = aiinfra(*argv)
    assert (answer.code, answer.err) == (2, "")
    jsonschema.validate(answer.json, result_schema())
    assert answer.json["exit_code"] == 2


def test_a_failure_ends_a_stream_with_its_result(aiinfra: Aiinfra) -> None:
    answer = aiinfra("up", "smal", "--events", "ndjson", "--yes")
    assert (answer.code, answer.err) == (2, "")
    assert (answer.json["type"], answer.json["result"]["errors"][0]["code"]) == ("result", "config.not_found")


def test_all_problems_of_a_file_are_told_at_once(aiinfra: Aiinfra, tmp_path: Path) -> None:
    text = (tmp_path / "small.yaml").read_text()
    (tmp_path / "small.yaml").write_text(
        text.replace("kind: nfd,", "kind: nfdd,").replace("target: lab", "target: labb")
    )
    answer = aiinfra("validate", "small")
    assert (answer.code, answer.out) == (2, "")
    *problems, count = answer.err.splitlines()
    assert [line.split(": ")[:2] for line in problems] == [
        ["small.yaml:3:9", "target"],
        ["small.yaml:6:15", "stacks.nfd.kind"],
    ]
    assert count == "2 problems · nothing was touched · exit 2"
