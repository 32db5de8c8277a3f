"""The JSON document that every command prints with `--output json`, and that ends an `--events ndjson` stream.

Always there: `schema`, `command`, `exit_code`, `errors`. The rest is the command's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiinfra.errors import ErrorRecord

RESULT_SCHEMA = "aiinfra.result/v1"
EVENTS_SCHEMA = "aiinfra.events/v1"


def result(
    command: str, exit_code: int, errors: Sequence[ErrorRecord] = (), payload: Mapping[str, object] | None = None
) -> dict[str, object]:
    """The document of `--output json`."""
    return {
        "schema": RESULT_SCHEMA,
        "command": command,
        "exit_code": exit_code,
        "errors": [record.as_json() for record in errors],
        **(payload or {}),
    }


def last_event(document: Mapping[str, object]) -> dict[str, object]:
    """The same document as the last line of an event stream."""
    return {"schema": EVENTS_SCHEMA, "type": "result", "result": dict(document)}
