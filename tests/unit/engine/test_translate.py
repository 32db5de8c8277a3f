"""What of the engine's own events is told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aiinfra.engine.events import Diagnostic
from aiinfra.engine.translate import translate

AT = datetime(2026, 11, 22, tzinfo=UTC)


def said(text: str) -> list[object]:
    return list(translate("nfd", {"diagnosticEvent": {"severity": "error", "message": text}}, AT))


@pytest.mark.parametrize("text", ["update canceled", "update failed\n", "preview failed", "<{%fg 1%}>preview canceled"])
def test_that_an_operation_ended_is_told_by_its_result_alone(text: str) -> None:
    assert said(text) == []


def test_what_else_the_engine_says_is_told() -> None:
    assert said("update failed: the disk is full") == [
        Diagnostic("nfd", "error", "update failed: the disk is full", AT)
    ]


def test_what_was_stopped_half_way_is_counted_without_advice_for_another_command() -> None:
    text = "Attempting to deploy or update resources with 2 pending operations from previous deployment.\nRun pulumi."
    assert said(text) == [Diagnostic("nfd", "error", "operations of an earlier run that were stopped half-way: 2", AT)]
