"""What machines read: each line and document fits the schema that `aiinfra schema` prints."""

import json

import jsonschema
import pytest

from aiinfra.catalog import error_codes
from aiinfra.engine.events import Diagnostic, Event, Message
from aiinfra.errors import ConfigError, Problem
from aiinfra.report.run import Verb
from aiinfra.ui.envelope import last_event, result
from aiinfra.ui.ndjson import event_json, report_json
from aiinfra.ui.schemas import errors_document, events_schema, result_schema
from tests.unit.ui.story import REPORT, at, failing_up

EVENTS = [*failing_up(), Message("the lab is started", at(0)), Diagnostic("nfd", "warning", "deprecated", at(1))]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_fits_the_schema(event: Event) -> None:
    jsonschema.validate(json.loads(json.dumps(event_json(event))), events_schema())


def test_the_last_line_is_the_result() -> None:
    line = last_event(report_json(REPORT))
    jsonschema.validate(json.loads(json.dumps(line)), events_schema())
    assert (line["schema"], line["type"]) == ("aiinfra.events/v1", "result")


def test_an_event_has_its_schema_and_type_first() -> None:
    assert event_json(EVENTS[7]) == {
        "schema": "aiinfra.events/v1",
        "type": "resource_changed",
        "stack": "nfd",
        "resource_type": "kubernetes:helm.sh/v3:Release",
        "resource_name": "nfd",
        "operation": "create",
        "state": "started",
        "at": "2026-03-01T12:00:01+00:00",
        "changed": [],
    }


def test_the_result_of_a_run_lists_every_failure_in_one_place() -> None:
    document = report_json(REPORT)
    jsonschema.validate(json.loads(json.dumps(document)), result_schema())
    assert document["exit_code"] == 4
    assert [error["code"] for error in document["errors"]] == ["kube.not_ready"]  # type: ignore[attr-defined]
    assert [stack["outcome"] for stack in document["results"]] == ["unchanged", "changed", "failed", "blocked"]  # type: ignore[attr-defined]


def test_a_failure_before_the_run_fits_the_same_schema() -> None:
    error = ConfigError(problems=[Problem("dc1.yaml:3:7", "stacks.nfd.cluster", "no stack is named 'clstr'")])
    jsonschema.validate(result("up", error.exit_code, error.records()), result_schema())


def test_the_list_of_errors_has_every_code_and_exit_code() -> None:
    document = errors_document()
    assert document["codes"] == dict(sorted(error_codes().items()))
    assert list(document["exit_codes"]) == ["0", "1", "2", "3", "4", "5", "130"]


def test_verbs_are_a_closed_list() -> None:
    assert events_schema()["$defs"]["Verb"]["enum"] == [verb.value for verb in Verb]
