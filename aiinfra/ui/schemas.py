"""JSON Schemas of what machines read from us, made from the same types that are written.

Fields may be added within a version, so readers must allow what they do not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from aiinfra.catalog import error_codes
from aiinfra.errors import ErrorRecord
from aiinfra.report.run import RunReport
from aiinfra.ui.envelope import EVENTS_SCHEMA, RESULT_SCHEMA
from aiinfra.ui.ndjson import RENAMED, REPORT_HEAD, TYPES

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def events_schema() -> dict[str, Any]:
    """One line of `--events ndjson`."""
    shared: dict[str, Any] = {}
    lines = [_event(kind, name, shared) for kind, name in TYPES.items()]
    result = result_schema()
    shared.update(result.pop("$defs"))
    shared["Result"] = {key: value for key, value in result.items() if not key.startswith("$")}
    last = _object({**_head("result"), "result": {"$ref": "#/$defs/Result"}}, "The last line")
    return {
        "$schema": DIALECT,
        "$id": f"urn:{EVENTS_SCHEMA}",
        "title": "A line of --events ndjson",
        "oneOf": [*lines, last],
        "$defs": shared,
    }


def result_schema() -> dict[str, Any]:
    """The document of `--output json`. All have the first four properties; a run has the others."""
    shared: dict[str, Any] = {}
    run = _properties(RunReport, shared)
    record = _definition(ErrorRecord, shared)
    head = {
        "schema": {"const": RESULT_SCHEMA},
        "command": {"type": "string"},
        "exit_code": {"enum": sorted(EXIT_CODES)},
        "errors": {"type": "array", "items": record},
    }
    run = {name: schema for name, schema in run.items() if name not in head}
    schema = _object(head, "The document of --output json")
    schema["properties"] = {**head, **run}
    return {"$schema": DIALECT, "$id": f"urn:{RESULT_SCHEMA}", **schema, "$defs": shared}


def errors_document() -> dict[str, Any]:
    """Every error code and exit code with its meaning, and the schema of a record."""
    shared: dict[str, Any] = {}
    _definition(ErrorRecord, shared)
    return {
        "schema": "aiinfra.errors/v1",
        "codes": dict(sorted(error_codes().items())),
        "exit_codes": {str(code): meaning for code, meaning in EXIT_CODES.items()},
        "record": {"$schema": DIALECT, **shared["ErrorRecord"]},
    }


EXIT_CODES: Mapping[int, str] = {
    0: "Done.",
    1: "A bug of aiinfra; a crash file is named.",
    2: "The file or the flags are wrong; nothing was touched.",
    3: "Something outside refused or was missing, before any step started.",
    4: "Some stacks failed.",
    5: "Destroy succeeded and something is left.",
    130: "Interrupted, or not approved.",
}
"""Every exit code, as documented."""


def _event(kind: type, name: str, shared: dict[str, Any]) -> dict[str, Any]:
    renamed = RENAMED.get(kind, {})
    own = {renamed.get(field, field): schema for field, schema in _properties(kind, shared).items()}
    if report := own.pop("report", None):
        own.update({name: shared[report["$ref"].rpartition("/")[2]]["properties"][name] for name in REPORT_HEAD})
    return _object({**_head(name), **own}, name)


def _head(name: str) -> dict[str, Any]:
    return {"schema": {"const": EVENTS_SCHEMA}, "type": {"const": name}}


def _object(properties: Mapping[str, Any], title: str) -> dict[str, Any]:
    return {"title": title, "type": "object", "properties": dict(properties), "required": list(properties)}


def _properties(kind: type, shared: dict[str, Any]) -> dict[str, Any]:
    schema = TypeAdapter(kind).json_schema(mode="serialization")
    shared.update(schema.pop("$defs", {}))
    return dict(schema["properties"])


def _definition(kind: type, shared: dict[str, Any]) -> dict[str, str]:
    schema = TypeAdapter(kind).json_schema(mode="serialization")
    schema["required"] = list(schema["properties"])
    shared[kind.__name__] = schema
    return {"$ref": f"#/$defs/{kind.__name__}"}
