"""Translate Pulumi's engine events, as JSON, to ours. Pure.

Source of the shapes: pulumi/pulumi sdk/go/common/apitype/events.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from aiinfra.engine.events import Diagnostic, Event, ResourceChanged

_COLOURS = r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m"
_OWN_END = r"(update|preview) (failed|canceled)"
"""The engine's last message about an operation (pkg/resource/deploy/deployment_executor.go, v3.259.0); the
operation's result is more precise."""
_PENDING = r"Attempting to deploy or update resources with (\d+) pending operations"
"""The start of advice for users of Pulumi's own command; here an up refreshes, and a destroy sweeps."""
_BOOKKEEPING = ("pulumi:pulumi:Stack", "pulumi:providers:")
_STATES = {"resourcePreEvent": "started", "resOutputsEvent": "done", "resOpFailedEvent": "failed"}


def translate(stack: str, raw: Mapping[str, Any], at: datetime) -> Iterator[Event]:
    """Yield our events for one of the engine's; most are dropped, as they mean nothing to a user."""
    for field, state in _STATES.items():
        if body := raw.get(field):
            yield from _resource(stack, body.get("metadata", {}), state, at)
    if body := raw.get("diagnosticEvent"):
        yield from _diagnostic(stack, body, at)


def _resource(stack: str, metadata: Mapping[str, Any], state: str, at: datetime) -> Iterator[Event]:
    kind, urn, operation = metadata.get("type", ""), metadata.get("urn", ""), metadata.get("op", "")
    if kind.startswith(_BOOKKEEPING) or (operation == "same" and state == "started"):
        return
    changed = tuple(metadata.get("detailedDiff") or metadata.get("diffs") or ())
    yield ResourceChanged(stack, kind, urn.rpartition("::")[2], operation, state, at, changed)


def _diagnostic(stack: str, body: Mapping[str, Any], at: datetime) -> Iterator[Event]:
    severity = body.get("severity", "info")
    text = plain(body.get("message", ""))
    if not text or body.get("ephemeral") or severity == "debug" or re.fullmatch(_OWN_END, text):
        return
    if pending := re.match(_PENDING, text):
        text = f"operations of an earlier run that were stopped half-way: {pending[1]}"
    yield Diagnostic(stack, severity.removeprefix("info#").replace("infoerr", "info"), text, at)


def plain(text: str) -> str:
    """Return the text without Pulumi's colour directives and terminal codes."""
    return re.sub(_COLOURS, "", text).strip()
