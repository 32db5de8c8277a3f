"""Which of the three forms of output a command line asks for."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

from aiinfra.errors import ConfigError


class Form(StrEnum):
    """What standard output carries: text for people, one JSON document, or a stream of events."""

    TEXT = "text"
    JSON = "json"
    NDJSON = "ndjson"


class OutputForm(StrEnum):
    """Values of `--output`."""

    TEXT = "text"
    JSON = "json"


class EventsForm(StrEnum):
    """Values of `--events`."""

    NDJSON = "ndjson"


def output_form(output: OutputForm, events: EventsForm | None) -> Form:
    """Return the form that two options choose. Raises `ConfigError` when both ask for a machine form."""
    if events and output is OutputForm.JSON:
        raise ConfigError(
            "--output json and --events ndjson both want standard output",
            code="cli.two_machine_outputs",
            hint="take --events ndjson alone: its last line is the result",
        )
    return Form.NDJSON if events else Form(output.value)


def guess_form(argv: Sequence[str]) -> Form:
    """Return the form in which a failure to read the command line itself is reported."""
    words = " ".join(argv).replace("=", " ").split()
    pairs = set(pairwise(words))
    if ("--output", "json") in pairs or ("-o", "json") in pairs:
        return Form.JSON
    return Form.NDJSON if ("--events", "ndjson") in pairs else Form.TEXT
