"""Official releases, from a real HTTP server on this machine."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aiinfra.errors import OutsideError
from aiinfra.toolchain import Toolchain
from aiinfra.toolchain.inspection import list_tools
from aiinfra.toolchain.table import Download, Platform, Tool
from aiinfra.world import World

Opened = Callable[..., Toolchain]
PROGRAM = b"#!/bin/sh\necho released 1.0.0\n"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "ping-linux").write_bytes(PROGRAM)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "published")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def released(opened: Opened, tool: Tool, url: str, sha256: str, world: World | None = None) -> Toolchain:
    table = {"ping": replace(tool, releases={Platform.here(): Download(url, sha256)})}
    return opened(tools=table, world=world) if world else opened(tools=table)


@pytest.fixture
def without_go(world: World) -> World:
    return replace(world, environ={k: v for k, v in world.environ.items() if k.startswith("XDG_")})


def test_a_release_is_taken_before_a_build(
    opened: Opened, tools: dict[str, Tool], publisher: str, without_go: World
) -> None:
    pinned = hashlib.sha256(PROGRAM).hexdigest()
    toolchain = released(opened, tools["ping"], f"{publisher}/ping-linux", pinned, without_go)
    assert [row.place for row in list_tools(toolchain)] == ["release"]
    path = toolchain.ensure(["ping"])["ping"]
    assert path.read_bytes() == PROGRAM
    assert path.parent.name == f"ping-1.0.0-{pinned[:12]}"
    assert [row.place for row in list_tools(toolchain)] == ["cache"]


def test_a_release_with_another_checksum_is_not_installed(
    opened: Opened, tools: dict[str, Tool], publisher: str
) -> None:
    url, pinned = f"{publisher}/ping-linux", "0" * 64
    toolchain = released(opened, tools["ping"], url, pinned)
    with pytest.raises(OutsideError) as caught:
        toolchain.ensure(["ping"])
    there = hashlib.sha256(PROGRAM).hexdigest()
    assert str(caught.value) == f"{url} has checksum {there}, and {pinned} is pinned for ping 1.0.0"
    assert caught.value.record.code == "toolchain.checksum"
    assert [p.name for p in toolchain.cache.root.iterdir()] == [".lock"]


def test_a_release_that_cannot_be_had_is_built_instead(opened: Opened, tools: dict[str, Tool], publisher: str) -> None:
    heard: list[str] = []
    path = released(opened, tools["ping"], f"{publisher}/gone", "0" * 64).ensure(["ping"], heard.append)["ping"]
    assert path.exists()
    assert heard[0].startswith("the release of ping 1.0.0 cannot be had (")
    assert heard[0].endswith("); it is built instead")
