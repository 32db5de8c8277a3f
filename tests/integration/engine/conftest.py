"""A fresh environment for each test, with the real engine host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from aiinfra.engine.programs import ProgramServer
from aiinfra.providers.contract import ProviderSpec
from aiinfra.providers.servicer import serve
from tests.integration.engine.site import Door, Site


@pytest.fixture
def engine_binary(toolchain: Mapping[str, Path]) -> Path:
    return toolchain["aiinfra-engine"]


@pytest.fixture
def site(tmp_path: Path, engine_binary: Path) -> Iterator[Site]:
    door = Door()
    served = serve([ProviderSpec("engine", "1.0.0", {"engine:test:Door": door})])
    made = Site(engine_binary, tmp_path, served, door, ProgramServer(tmp_path / "programs.log"))
    yield made
    made.close()
    assert races(made.log) == []


def races(log: Path) -> list[str]:
    """What a host built with Go's race detector reported. Pulumi's own way to terminate an operation is known for one:
    it closes the channel of events under those who still send (pkg/v3 v3.259.0 engine/events.go, tryCloseEventChan)."""
    reports = log.read_text().split("WARNING: DATA RACE")[1:] if log.exists() else []
    return [report for report in reports if "tryCloseEventChan" not in report]
