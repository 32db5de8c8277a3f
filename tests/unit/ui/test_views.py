"""The views as they run: threads, heartbeats, a real terminal."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from aiinfra.engine.events import Diagnostic, Event, StackStarted, Waiting
from aiinfra.ui.output import Output
from aiinfra.ui.progress import Progress
from aiinfra.ui.terminal import Terminal
from aiinfra.ui.views import PlainDisplay, StreamDisplay, View
from tests.unit.ui.story import REPORT, at, failing_up, started

ROOT = Path(__file__).parents[3]
LIMIT = 60


class Listener:
    """A sight that remembers, and says when it was shown something awaited."""

    every = 0.01

    def __init__(self) -> None:
        self.shown: list[Event] = []
        self.waiting = threading.Event()

    def show(self, event: Event, progress: Progress) -> None:
        self.shown.append(event)
        if isinstance(event, Waiting):
            self.waiting.set()

    def tick(self, progress: Progress) -> None: ...
    def close(self, progress: Progress) -> None: ...


def test_a_silent_stack_is_named_without_anybody_asking() -> None:
    listener = Listener()
    with View(listener, lambda: at(45), silence=30) as view:
        view(started(stacks=["nfd"]))
        view(StackStarted("nfd", "nfd", at(0)))
        assert listener.waiting.wait(LIMIT)
    assert listener.shown[2:] == [Waiting("nfd", "the engine", 45, None, at(45))]


def test_what_a_stack_that_has_ended_still_waits_for_is_nobodys_news() -> None:
    """A provider that was told to stop finds out after the engine did; the result stays the last word."""
    listener = Listener()
    late = Waiting("gpu-operator", "Job gpu-operator/cleanup: it has not completed", 2, None, at(413))
    with View(listener, lambda: at(0)) as view:
        for event in (*failing_up(), late):
            view(event)
    assert len(listener.shown) == len(failing_up())
    assert late not in listener.shown


def test_events_of_many_threads_are_each_shown_once() -> None:
    stream = io.StringIO()
    with View(StreamDisplay(Output(stream)), lambda: at(0)) as view:
        said = [Diagnostic("nfd", "warning", f"{number}", at(0)) for number in range(200)]
        threads = [threading.Thread(target=view, args=(event,)) for event in said]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert sorted(int(line["text"]) for line in lines) == list(range(200))


def test_progress_beside_a_json_result_leaves_the_report_out() -> None:
    stream = io.StringIO()
    with View(PlainDisplay(Output(stream), Terminal(), report=False), lambda: at(0)) as view:
        for event in failing_up():
            view(event)
    assert stream.getvalue().endswith("gpu-proof    | ○ left as it was (gpu-operator failed)\n")
    assert view.progress.report == REPORT


def test_of_several_runs_in_one_command_the_first_says_what_is_simulated() -> None:
    stream = io.StringIO()
    with View(PlainDisplay(Output(stream), Terminal()), lambda: at(0)) as view:
        for event in [*failing_up(), *failing_up()]:
            view(event)
    assert stream.getvalue().count("CUDA does not run") == 1


def on_a_terminal(environ: dict[str, str]) -> str:
    """What a terminal got from a run that is played to it, a hundred times as fast."""
    leader, follower = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.ui.play", "400"],
        cwd=ROOT,
        env={
            "PATH": os.defpath,
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            "COLUMNS": "100",
            "LINES": "24",
            **environ,
        },
        stdin=follower,
        stdout=follower,
        stderr=subprocess.PIPE,
    )
    os.close(follower)
    got = b""
    try:
        while chunk := os.read(leader, 65536):
            got += chunk
    except OSError:  # EIO: the other end was closed
        pass
    finally:
        os.close(leader)
    assert process.stderr is not None
    assert process.stderr.read().decode() == ""
    process.stderr.close()
    assert process.wait(LIMIT) == 0
    return got.decode().replace("\r\n", "\n")


END = """\
up lab · 4 stacks · simulated
✓ cluster       0.0 s  unchanged (last seen 2 h ago)
✓ nfd           38 s   3 created
✗ gpu-operator  6m12   failed
○ gpu-proof            left as it was (gpu-operator failed)
✗ gpu-operator  failed after 6m12
"""


def test_the_live_table_gives_way_to_the_whole_table_and_the_report() -> None:
    screen = on_a_terminal({"TERM": "xterm-256color"})
    assert "\x1b[31m" in screen
    assert screen.rindex("\x1b[?25h") > screen.rindex("\x1b[?25l"), "the cursor is shown again"
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen)
    assert END in plain
    assert "● gpu-operator" in plain
    assert plain.endswith("Simulated:\n  CUDA does not run\n")


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"TERM": "dumb", "COLORTERM": "truecolor"}, {}])
def test_a_terminal_that_cannot_redraw_gets_plain_lines(environ: dict[str, str]) -> None:
    screen = on_a_terminal(environ)
    assert "\x1b" not in screen
    assert "gpu-operator | ✗ failed · 6m12\n" in screen


def test_no_colour_still_means_a_live_table() -> None:
    screen = on_a_terminal({"TERM": "xterm", "NO_COLOR": "1"})
    assert not re.search(r"\x1b\[[0-9;]*m", screen)
    assert "\x1b[?25l" in screen
