"""The provider as a process of its own, as the plain `pulumi` starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import KINDS
from tests.integration.kube.engine import Connection

SCRIPT = "import os, subprocess, sys; p = subprocess.Popen([sys.executable, '-m', 'aiinfra.providers.plugin'], "
SCRIPT += "stdout=subprocess.PIPE); print(p.stdout.readline().decode().strip(), p.pid, flush=True); sys.stdin.read()"


@pytest.fixture
def plugin() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "aiinfra.providers.plugin"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(KINDS)},
    ) as process:
        yield process
        process.kill()


def test_it_prints_its_port_and_serves_until_it_is_told_to_end(plugin: subprocess.Popen[str]) -> None:
    assert plugin.stdout is not None
    port = int(plugin.stdout.readline())
    with Connection(port) as engine:
        assert engine.create("aiinfra:test:Thing", {"value": 1})["value"] == 1
    plugin.send_signal(signal.SIGTERM)
    assert plugin.wait(20) == 0
    assert plugin.stdout.read() == ""


def test_it_ends_when_its_engine_was_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as engine:
        assert engine.stdout is not None
        pid = int(engine.stdout.readline().split()[1])
        engine.kill()
    _await_end(pid)


def _await_end(pid: int) -> None:
    from pathlib import Path

    from aiinfra.waiting import Pending, Waiter

    def ask() -> bool | Pending:
        state = Path(f"/proc/{pid}/stat")
        gone = not state.exists() or ") Z " in state.read_text()
        return True if gone else Pending("the plugin to end")

    Waiter(20, every=0.1).until(ask)
