"""Every command and option that a text of aiinfra names exists, and the commands are complete."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.exceptions import TyperException

from aiinfra.cli.app import root
from aiinfra.cli.commands import COMMANDS
from tests.unit.hints.sources import ARGUMENTS_OF_OTHERS, FILLED, ROOT, Text, commands, options, texts

PROSE = frozenset({FILLED, "digest", "has", "is", "itself", "knows", "knows.", "needs", "that", "would"})
"""What follows the word aiinfra where it is the subject of a sentence, or is filled in as a whole."""
KUBECTL = (
    "uncordon NAME",
    "describe pod -n NAME NAME",
    "logs NAME -c NAME --previous",
    "logs -n NAME NAME",
    "label node NAME NAME-",
    "label node NAME NAME=upgrade-required --overwrite",
    "label node NODE nvidia.com/mig.config=PROFILE --overwrite",
    "config use-context NAME",
    "config view --flatten --minify",
    "oidc-login",
)
"""Every kubectl command of a hint. The pod of `logs` is filled in with its namespace. `oidc-login` is a plugin."""
OF_OTHERS = {
    "pulumi state upgrade": "pulumi state upgrade --help: migrates a DIY backend to the latest supported version",
    "pulumi cancel": "pulumi cancel --help: cancels a stack's currently running update",
    "esxcli software vib list": "Broadcom, ESXCLI reference: software vib list",
    "esxcli system maintenanceMode set --enable": "Broadcom, ESXCLI reference: system maintenanceMode set",
    "nvidia-smi -i FILLED -mig FILLED": "NVIDIA MIG user guide, Enable MIG Mode",
    "nvidia-smi -i FILLED --query-gpu=mig.mode.current --format=csv": "NVIDIA MIG user guide, Enable MIG Mode",
    "nvidia-smi --query-gpu=pci.bus_id,mig.mode.current --format=csv": "nvidia-smi --help-query-gpu",
    "nvidia-smi --query-gpu=ecc.mode.current --format=csv": "nvidia-smi --help-query-gpu",
}
"""Commands of programs that no lab has: checked for their form alone, by the source named."""


def told() -> list[tuple[Text, list[str]]]:
    return [(text, command) for text in texts() for command in commands(text.text)]


def test_the_collector_finds_what_is_there() -> None:
    found = {" ".join(command) for _, command in told()}
    assert {"init", "lab stop ENV", "destroy FILLED --forget FILLED", "why FILLED FILLED", "doctor ENV"} <= found
    assert len(found) > 20


def test_what_is_called_a_command_of_aiinfra_is_one() -> None:
    assert [str(text) for text, command in told() if command[0] not in {*COMMANDS, *PROSE}] == []


def test_every_command_can_be_run_as_it_is_written() -> None:
    wrong = [f"{text}: {why}" for text, command in told() if command[0] in COMMANDS and (why := refusal(command))]
    assert wrong == []


@pytest.mark.parametrize("command", ["doctor", "why", "up", "lab stop", "destroy ENV --forgt x", "lab stopp ENV"])
def test_a_command_that_is_not_complete_would_be_found(command: str) -> None:
    assert refusal(command.split())


def refusal(words: list[str]) -> str:
    """Why the command line refuses these words; options without their values end a command."""
    group = typer.main.get_command(root)
    context = group.make_context("aiinfra", [])
    command: Any = group.get_command(context, words[0])  # type: ignore[attr-defined]
    rest = words[1:]
    while hasattr(command, "commands") and rest:
        command, rest = command.get_command(context, rest[0]), rest[1:]
        if command is None:
            return "no such subcommand"
    try:
        command.make_context("command", list(_without_prose(command, rest)), resilient_parsing=False)
    except TyperException as error:
        return error.format_message()
    return ""


def _without_prose(command: Any, words: list[str]) -> Iterator[str]:
    """Leave out a word of the sentence that follows an option which takes no value."""
    flags = {name for one in command.params if getattr(one, "is_flag", False) for name in one.opts}
    for before, word in zip(["", *words], words, strict=False):
        if before not in flags or word.startswith("--"):
            yield word


def known_options(command: Any, context: Any) -> set[str]:
    own = {name for one in command.params for name in one.opts} | {"--help"}
    below = command.list_commands(context) if hasattr(command, "commands") else ()
    return own.union(*(known_options(command.get_command(context, name), context) for name in below))


def test_every_option_that_is_named_exists() -> None:
    group = typer.main.get_command(root)
    known = known_options(group, group.make_context("aiinfra", []))
    ours = [text for text in texts() if not text.file.startswith(ARGUMENTS_OF_OTHERS)]
    assert [f"{text}: {one}" for text in ours for one in options(text.text) if one not in known] == []


def test_every_command_of_another_program_is_one_of_those_that_were_looked_up() -> None:
    unknown = []
    for text in texts():
        for found in re.findall(r"\b(?:esxcli|nvidia-smi -|pulumi (?:state|cancel|stack))[^\n;]*", text.text):
            if not text.file.startswith("aiinfra/domains/kubernetes/") and not found.startswith(tuple(OF_OTHERS)):
                unknown.append(f"{text}: {found}")
    assert unknown == []


def test_every_kubectl_command_has_a_verb_and_all_it_needs() -> None:
    forms = [re.escape(form).replace("NAME", r"(?:FILLED|NAME)") for form in KUBECTL]
    unknown = []
    for text in texts():
        for rest in re.findall(r"\bkubectl (?=[a-z-]+\b)(?!refuses|no longer|too|oidc-login)([^,;:]*)", text.text):
            if not any(re.match(form, rest) for form in forms):
                unknown.append(f"{text}: kubectl {rest}")
    assert unknown == []


def test_what_is_to_be_run_again_as_it_is_may_pass_by_itself() -> None:
    """An error whose hint begins with `run again` is marked transient, as no change is asked for."""
    lasting = [
        f"{file}:{call.lineno}"
        for file, call in calls()
        for hint in keyword(call, "hint")
        if isinstance(hint, ast.Constant) and str(hint.value).startswith(("run again", "run the command again"))
        if not keyword(call, "transient")
    ]
    assert lasting == []
    entries = [call for _, call in calls() if len(call.args) > 2 and isinstance(call.func, ast.Name)]
    found = [call for call in entries if call.func.id == "_Entry" and _text(call.args[2]).startswith("run again")]  # type: ignore[attr-defined]
    assert found
    assert [call.lineno for call in found if not keyword(call, "transient")] == []


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted((ROOT / "aiinfra").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield str(path.relative_to(ROOT)), node


def keyword(call: ast.Call, name: str) -> list[ast.expr]:
    return [one.value for one in call.keywords if one.arg == name]


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
