"""Installs that are killed, and installs at the same time: whole entries or none."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from aiinfra.toolchain import Toolchain
from aiinfra.toolchain.record import describe
from aiinfra.toolchain.table import GoModule
from aiinfra.world import World

Opened = Callable[..., Toolchain]

PROLOGUE = """
import os, signal, sys
from pathlib import Path
from aiinfra.toolchain import Toolchain
from aiinfra.toolchain.table import GoModule, Tool
from aiinfra.world import World

module = GoModule("small", Path(sys.argv[1]), disk="1 MB")
table = {name: Tool(name, "1.0.0", module, f"./cmd/{name}") for name in ("ping", "pong")}
toolchain = Toolchain(World.real(), tools=table, wheel=Path("/nowhere"))

def die_when(start):
    return lambda text: text.startswith(start) and os.kill(os.getpid(), signal.SIGKILL)
"""
ENSURE = "print(toolchain.ensure(['ping'], lambda text: print(text, flush=True))['ping'], flush=True)"


def process(script: str, module: GoModule, environ: Mapping[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROLOGUE + script, str(module.folder)]
    return subprocess.Popen(command, env=dict(environ), stdout=subprocess.PIPE, text=True)


def entries(toolchain: Toolchain) -> list[str]:
    return sorted(p.name for p in toolchain.cache.root.iterdir() if p.name != ".lock")


def killed(script: str, module: GoModule, world: World) -> None:
    with process(script, module, world.environ) as victim:
        assert victim.wait() == -signal.SIGKILL


def test_a_killed_build_leaves_no_entry_and_the_next_install_works(
    opened: Opened, module: GoModule, world: World
) -> None:
    killed("toolchain.ensure(['ping'], die_when('building'))", module, world)
    assert all(name.startswith(".new-") for name in entries(opened()))
    path = opened().ensure(["ping"])["ping"]
    assert subprocess.run([path], capture_output=True, text=True, check=True).stdout == "ping 1.0.0\n"
    assert entries(opened()) == [path.parent.name]


def test_killed_between_two_entries_the_first_stays_and_the_second_follows(
    opened: Opened, module: GoModule, world: World
) -> None:
    script = (
        "from aiinfra.toolchain.cache import Cache\n"
        "class Deadly(Cache):\n"
        "    def publish(self, *entry):\n"
        "        super().publish(*entry)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "toolchain.cache = Deadly(toolchain.cache.root)\n"
        "toolchain.ensure(['ping', 'pong'])\n"
    )
    killed(script, module, world)
    assert [name.split("-")[0] for name in entries(opened()) if not name.startswith(".")] == ["ping"]
    ensured = opened().ensure(["ping", "pong"])
    assert entries(opened()) == sorted(path.parent.name for path in ensured.values())


def test_two_installs_at_once_end_with_one_entry(opened: Opened, module: GoModule, world: World) -> None:
    both = [process(ENSURE, module, world.environ) for _ in range(2)]
    said = [p.communicate()[0].splitlines() for p in both]
    assert [p.returncode for p in both] == [0, 0]
    assert said[0][-1] == said[1][-1]
    assert entries(opened()) == [Path(said[0][-1]).parent.name]


def test_who_waits_for_another_install_takes_what_it_made(opened: Opened, module: GoModule, world: World) -> None:
    here = opened()
    without_go = {**world.environ, "PATH": "", "PIP_NO_INDEX": "1"}
    with here.cache.installing(lambda text: None) as work:
        waiting = process(ENSURE, module, without_go)
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "another aiinfra is installing its toolchain; waiting for it (0 s)\n"
        (work / "ping").mkdir()
        (work / "ping" / "ping").write_text("#!/bin/sh\n")
        digest = here.digests(here.tools["ping"])[0]
        describe(work / "ping" / "ping", "1.0.0", digest, "built")
        made = here.cache.publish(work / "ping", "ping", "1.0.0", digest) / "ping"
    assert waiting.communicate()[0] == f"{made}\n"
