"""The host's protocol as bytes: what any caller may rely on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.engine


class Talk:
    """A host spoken to by hand."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self.log = folder / "log"
        self.process = subprocess.Popen(
            [str(binary), "-log", str(self.log)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"HOME": str(folder)},
        )
        self.hello = self.hear()
        self.settings = {"backend": f"file://{folder}/state", "project": "p", "passphrase": "x"}

    def say(self, line: str) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.hear()

    def ask(self, **request: Any) -> Any:
        return self.say(json.dumps(request))

    def hear(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def open(self) -> None:
        assert self.ask(id="open", op="open", settings=self.settings) == {"id": "open", "done": True, "result": {}}


@pytest.fixture
def talk(tmp_path: Path, engine_binary: Path) -> Iterator[Talk]:
    talk = Talk(engine_binary, tmp_path)
    yield talk
    out, err = talk.process.communicate(timeout=60)
    assert (out, err, talk.process.returncode) == (b"", b"", 0)


def test_the_first_line_says_who_speaks(talk: Talk) -> None:
    assert talk.hello == {"hello": {"protocol": 1, "pulumi": "v3.259.0", "pid": talk.process.pid}}


@pytest.mark.parametrize(
    ("line", "id", "says"),
    [
        ("{", "", "the request is not valid: unexpected end of JSON input"),
        ('{"id": "7", "op": 3}', "7", "the request is not valid: "),
        ('{"op": "stacks"}', "", "the request has no id"),
        ('{"id": "7", "op": "conquer"}', "7", 'no operation is named "conquer"'),
        ('{"id": "7", "op": "stacks"}', "7", "the host is not open yet"),
        ('{"id": "7", "op": "open"}', "7", "open needs settings with a backend and a project"),
    ],
)
def test_a_request_that_is_wrong_is_answered(talk: Talk, line: str, id: str, says: str) -> None:
    answer = talk.say(line)
    assert (answer.get("id", ""), answer["done"], answer["error"]["code"]) == (id, True, "bad_request")
    assert answer["error"]["message"].startswith(says)


def test_the_host_goes_on_after_wrong_requests(talk: Talk) -> None:
    talk.say("nonsense")
    talk.open()
    assert talk.ask(id="1", op="stacks") == {"id": "1", "done": True, "result": {"stacks": []}}


def test_a_line_may_have_any_length(talk: Talk) -> None:
    talk.open()
    value = "QUJD" * 25_000
    assert talk.ask(id="1", op="notes_put", key="long", value=value)["result"] == {"written": True}
    assert talk.ask(id="2", op="notes_get", key="long")["result"] == {"found": True, "value": value}


def test_an_id_may_be_used_again_when_it_is_answered(talk: Talk) -> None:
    talk.open()
    for _ in range(3):
        assert talk.ask(id="same", op="stacks")["result"] == {"stacks": []}


def test_a_host_opens_once(talk: Talk) -> None:
    talk.open()
    assert talk.ask(id="2", op="open", settings=talk.settings)["error"]["message"] == "the host is open already"


def test_stopping_what_has_ended_is_no_error(talk: Talk) -> None:
    assert talk.ask(id="1", op="cancel", target="gone") == {"id": "1", "done": True, "result": {"running": False}}


def test_a_shutdown_is_answered_and_ends_the_host(talk: Talk) -> None:
    talk.open()
    assert talk.ask(id="1", op="shutdown") == {"id": "1", "done": True, "result": {}}
    assert talk.process.wait(60) == 0


def test_the_end_of_the_input_ends_the_host(talk: Talk) -> None:
    assert talk.process.stdin is not None
    talk.process.stdin.close()
    talk.process.stdin = None
    assert talk.process.wait(60) == 0
    assert "the caller is gone" in talk.log.read_text()
