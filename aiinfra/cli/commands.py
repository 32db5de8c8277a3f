"""The commands, as a table. Only the module of the command that runs is imported."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from aiinfra.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: where its function (or its own `typer.Typer`) is, and its line in `--help`."""

    target: str
    summary: str
    section: str

    def load(self) -> Any:
        """Return the function or the `typer.Typer`."""
        module, _, attribute = self.target.partition(":")
        return getattr(importlib.import_module(f"aiinfra.cli.{module}"), attribute)


ACT, LOOK, WRITE, MACHINE = "Change the world", "Look at the world", "Read and write files", "This machine"

COMMANDS: Mapping[str, Entry] = {
    "up": Entry("up:up", "Bring ENV to the state that its file describes", ACT),
    "destroy": Entry("destroy:destroy", "Destroy all that ENV made, and prove that nothing is left", ACT),
    "refresh": Entry("refresh:refresh", "Read the world again and record what drifted", ACT),
    "rehearse": Entry("rehearse:rehearse", "Run any ENV in a throw-away lab: up, proof, destroy, verdict", ACT),
    "preview": Entry("preview:preview", "Say what `up` would change, asking the engine", LOOK),
    "doctor": Entry("doctor:doctor", "Ask the outside world whether ENV can work", LOOK),
    "status": Entry("status:status", "Show the stacks of ENV as last recorded", LOOK),
    "why": Entry("why:why", "Say why a stack of ENV is as it is, and what to do", LOOK),
    "outputs": Entry("outputs:outputs", "Print what the stacks of ENV gave", LOOK),
    "init": Entry("init:init", "Write a first environment file", WRITE),
    "validate": Entry("validate:validate", "Check the file of ENV and name every problem", WRITE),
    "plan": Entry("plan:plan", "Show the stacks of ENV in order, offline", WRITE),
    "graph": Entry("graph:graph", "Draw the stacks of ENV and their references", WRITE),
    "explain": Entry("explain:explain", "Say where a value of ENV comes from", WRITE),
    "render": Entry("render:render", "Write every document that ENV would apply, as files", WRITE),
    "kinds": Entry("kinds:kinds", "List the kinds of stacks", WRITE),
    "schema": Entry("schema:schema", "Print a JSON Schema: environment, events, result, errors", WRITE),
    "lab": Entry("lab:app", "The simulated world of ENV: status, stop, faults", MACHINE),
    "charts": Entry("packages:app", "The charts that ENV installs: mirror", MACHINE),
    "toolchain": Entry("toolchain:app", "The programs that aiinfra needs: list, install, verify, mirror", MACHINE),
}
