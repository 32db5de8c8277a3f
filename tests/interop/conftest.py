"""The plain `pulumi` command, built from its Go modules like our own programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiinfra.toolchain import Toolchain
from aiinfra.toolchain.table import ENGINE_HOST, PULUMI, GoModule, Tool
from aiinfra.world import World
from tests.integration.spine.conftest import make_site

__all__ = ["make_site"]
MODULE = GoModule("pulumi-cli", Path(__file__).parent / "pulumi", ENGINE_HOST.flags, disk="3 GB")
CLI = Tool("pulumi", PULUMI, MODULE, "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", version_flag="version")


@pytest.fixture(scope="session")
def pulumi() -> Path:
    return Toolchain(World.real(), tools={CLI.name: CLI}).ensure([CLI.name])[CLI.name]
