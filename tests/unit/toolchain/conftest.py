"""A small Go module with two commands, a table that names them, and a machine of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest

from aiinfra.toolchain import Toolchain
from aiinfra.toolchain.table import GoModule, Tool
from aiinfra.world import World

SOURCE = """package main

import "os"

func main() { os.Stdout.WriteString("NAME 1.0.0\\n") }
"""


@pytest.fixture(scope="session")
def go_environ() -> Mapping[str, str]:
    """The variables of the Go that builds; its build cache is shared, so a small module costs little."""
    go = Toolchain(World.real()).go(lambda text: None)
    cache = {k: v for k, v in go.environ.items() if k in ("GOCACHE", "GOMODCACHE", "GOPATH")}
    home = {} if "GOCACHE" in cache else {"GOCACHE": go.environ["HOME"] + "/.cache/go-build"}
    path = f"{go.program.parent}{os.pathsep}/usr/bin:/bin"
    return {"PATH": path, "GOPROXY": "off", "GOSUMDB": "off"} | home | cache


@pytest.fixture
def world(tmp_path: Path, go_environ: Mapping[str, str]) -> World:
    """A user whose home, cache and state are empty; Go is on PATH and no module proxy answers."""
    own = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environ = {**go_environ, **own, "XDG_STATE_HOME": str(tmp_path / "state")}
    return World(environ, lambda: datetime.now(UTC), tmp_path, interactive=False)


@pytest.fixture
def module(tmp_path: Path) -> GoModule:
    """`ping` and `pong`: each prints its name and `1.0.0`."""
    folder = tmp_path / "module"
    for name in ("ping", "pong"):
        (folder / "cmd" / name).mkdir(parents=True)
        (folder / "cmd" / name / "main.go").write_text(SOURCE.replace("NAME", name))
    (folder / "go.mod").write_text("module example.test/small\n\ngo 1.26\n")
    (folder / "go.sum").write_text("")
    return GoModule("small", folder, disk="1 MB")


@pytest.fixture
def tools(module: GoModule) -> Mapping[str, Tool]:
    return MappingProxyType({n: Tool(n, "1.0.0", module, f"./cmd/{n}") for n in ("ping", "pong")})


@pytest.fixture
def opened(world: World, tools: Mapping[str, Tool], tmp_path: Path) -> Callable[..., Toolchain]:
    """`opened(directory=…, offline=…, world=…)`: a toolchain of the small table."""

    def make(
        directory: Path | None = None,
        offline: bool = False,
        world: World = world,
        tools: Mapping[str, Tool] = tools,
    ) -> Toolchain:
        return Toolchain(world, directory, offline, tools=tools, wheel=tmp_path / "wheel")

    return make
