"""A host that does not behave: what the caller is told. The hosts here are scripts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from aiinfra.engine.host_client import EngineError, EngineHost, HostSettings, Operation
from aiinfra.errors import OutsideError
from aiinfra.report.run import Verb

HELLO = """print('{"hello": {"protocol": 1, "pulumi": "v0", "pid": 1}}', flush=True)"""
ANSWER = """print(json.dumps({"id": json.loads(line)["id"], "done": True, "result": {}}), flush=True)"""
GOOD = f"{HELLO}\nfor line in sys.stdin:\n    {ANSWER}\n"
Start = Callable[[str], EngineHost]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[EngineHost] = []

    def begin(body: str) -> EngineHost:
        script = tmp_path / "host"
        script.write_text(f"#!{sys.executable}\nimport json, os, sys\n{body}")
        script.chmod(0o755)
        settings = HostSettings("file:///nowhere", "p", "passphrase", "x", {}, tmp_path, {"PATH": "/usr/bin"})
        started.append(EngineHost.start(script, settings, tmp_path / "logs" / "log"))
        return started[-1]

    yield begin
    for host in started:
        host.close()
        host.close()


def test_a_good_host_is_asked_and_closed(start: Start) -> None:
    assert start(GOOD).operate(Operation(Verb.UP, "s")).result(60).changes == {}


def test_a_host_that_is_not_there(tmp_path: Path) -> None:
    settings = HostSettings("file:///nowhere", "p", "passphrase", "x", {}, tmp_path, {})
    with pytest.raises(OutsideError, match="the engine host does not start: No such file or directory") as refused:
        EngineHost.start(tmp_path / "none", settings, tmp_path / "log")
    assert refused.value.record.code == "engine.start"


def test_a_host_of_another_protocol(start: Start) -> None:
    with pytest.raises(OutsideError, match="the engine host speaks protocol 2, not 1"):
        start(GOOD.replace('"protocol": 1', '"protocol": 2'))


def test_a_host_that_ends_before_it_greets(start: Start) -> None:
    with pytest.raises(EngineError, match=r"the engine host \(pid \d+\) ended with status 3"):
        start("sys.exit(3)")


def test_a_host_that_ends_while_it_works(start: Start) -> None:
    host = start(f"{HELLO}\nline = sys.stdin.readline()\n{ANSWER}\nsys.stdin.readline()\nos._exit(7)\n")
    with pytest.raises(EngineError, match="ended with status 7") as lost:
        host.operate(Operation(Verb.UP, "s")).result(60)
    assert lost.value.record.transient
    assert lost.value.record.where.endswith("logs/log")
    with pytest.raises(EngineError, match="ended with status 7"):
        host.stacks()


def test_a_host_that_speaks_nonsense_is_ended(start: Start) -> None:
    host = start(f"{HELLO}\nline = sys.stdin.readline()\n{ANSWER}\nprint('nonsense', flush=True)\nsys.stdin.read()\n")
    with pytest.raises(EngineError, match="ended by signal 9"):
        host.operate(Operation(Verb.UP, "s")).result(60)


def test_a_listener_that_fails_fails_its_own_operation_only(start: Start) -> None:
    event = """print(json.dumps({"id": json.loads(line)["id"], "event": {"n": 1}}), flush=True)"""
    host = start(f"{HELLO}\nfor line in sys.stdin:\n    {event}\n    {ANSWER}\n")

    def broken(event: Mapping[str, Any]) -> None:
        raise LookupError("cannot show this")

    with pytest.raises(LookupError, match="cannot show this"):
        host.operate(Operation(Verb.UP, "s"), broken).result(60)
    heard: list[Mapping[str, Any]] = []
    assert host.operate(Operation(Verb.UP, "s"), heard.append).result(60).error == ""
    assert heard == [{"n": 1}]


def test_a_result_that_does_not_come_in_time(start: Start) -> None:
    host = start(f"{HELLO}\nline = sys.stdin.readline()\n{ANSWER}\nsys.stdin.read()\n")
    with pytest.raises(TimeoutError, match=r"no answer of the engine host within 0\.01 s"):
        host.operate(Operation(Verb.UP, "s")).result(0.01)


def test_settings_and_operations_show_no_secret() -> None:
    settings = HostSettings("file:///x", "p", "passphrase", "the-phrase", {}, Path(), {"TOKEN": "the-token"})
    shown = repr(settings) + repr(Operation(Verb.UP, "s", hidden=["the-password"]))
    assert not [word for word in ("the-phrase", "the-token", "the-password") if word in shown]
