"""What a failure tells one to run is run, where neither an engine nor a lab is needed. Others: test_executed.py."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.cli.conftest import Aiinfra, Answer


def follow(aiinfra: Aiinfra, told: str, command: str) -> Answer:
    """Run a command of aiinfra that a text names, exactly."""
    assert re.search(rf"\baiinfra {re.escape(command)}(?![\w-])", told), told
    done = aiinfra(*command.split())
    assert (done.code, done.err) == (0, "")
    return done


def test_a_wrong_command_line_leads_to_its_help(aiinfra: Aiinfra) -> None:
    for wrong, command in (("up small --yess", "up --help"), ("pln", "--help"), ("lab fualt", "lab --help")):
        assert follow(aiinfra, aiinfra(*wrong.split()).err, command).out.startswith("Usage: aiinfra ")


def test_where_no_file_is_init_writes_one(aiinfra: Aiinfra, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text("")
    told = follow(aiinfra, aiinfra("plan", "small").err, "init")
    assert told.out.startswith("wrote first.yaml; next: ")


def test_init_leads_on_to_a_file_that_plans(aiinfra: Aiinfra) -> None:
    told = aiinfra("init", "dc1").out
    assert "gpu-proof" in follow(aiinfra, told, "plan dc1").out
    assert told.endswith(", then aiinfra up dc1\n")
    assert aiinfra("validate", "dc1").code == 0


def test_the_form_of_set_that_is_shown_works(aiinfra: Aiinfra) -> None:
    told = aiinfra("plan", "small", "--set", "stacks.nfd.").err
    assert "write --set stacks.nfd.version=0.19.0;" in told
    assert aiinfra("plan", "small", "--set", "stacks.nfd.version=0.19.0").code == 0


def test_a_fault_that_cannot_strike_leads_to_the_list_of_faults(aiinfra: Aiinfra) -> None:
    told = aiinfra("rehearse", "small", "--fault", "vcenter-host-full").err
    assert "image-pull" in follow(aiinfra, told, "lab faults").out


def test_a_destroy_without_a_terminal_leads_to_the_status(aiinfra: Aiinfra) -> None:
    assert "nfd" in follow(aiinfra, aiinfra("destroy", "small").err, "status small").out


def test_a_lab_that_does_not_run_leads_to_an_up(aiinfra: Aiinfra) -> None:
    assert "→ start it with aiinfra up small\n" in aiinfra("lab", "fault", "small", "image-pull").err
