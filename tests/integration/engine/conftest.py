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
