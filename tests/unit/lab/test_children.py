"""Processes that are owned: started again, stopped, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiinfra.engine.lock import Process
from aiinfra.lab.children import Children, Spawner
from aiinfra.waiting import Pending, Waiter

WAIT = (sys.executable, "-c", "import signal; signal.pause()")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); [signal.pause() for _ in 'ab']",
)


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    spawner = Spawner(tmp_path, {})
    serving = threading.Thread(target=spawner.serve)
    serving.start()
    owned = Children(spawner, tmp_path, lambda: None)
    yield owned
    owned.stop(owned.names(), grace=0.5)
    spawner.close()
    serving.join()


def until(ask: object) -> None:
    assert callable(ask)
    Waiter(limit=30, every=0.02).until(lambda: True if ask() else Pending("the test's wish"))


def test_a_kept_child_that_is_killed_is_started_again(children: Children) -> None:
    child = children.start("etcd", WAIT)
    children.keep(["etcd"])
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    until(lambda: child.process.pid != first and child.running)
    assert [record.pid for record in children.records()] == [child.process.pid]


def test_a_child_that_keeps_ending_is_given_up_with_its_last_words(children: Children) -> None:
    child = children.start("kwok", (sys.executable, "-c", "print('flag --x is not known\\n')"))
    children.keep(["kwok"])
    until(lambda: child.ended)
    assert [ended.why_ended() for ended in children.ended()] == ["kwok ended with code 0: flag --x is not known"]


def test_a_program_that_does_not_exist_says_so(children: Children) -> None:
    child = children.start("etcd", ("/nowhere/etcd",))
    until(lambda: child.ended)
    assert child.why_ended() == ("etcd ended with code 1: FileNotFoundError: [Errno 2] No such file or directory")


def test_a_child_deaf_to_sigterm_is_killed_after_the_grace(children: Children) -> None:
    child = children.start("kube-apiserver", STUBBORN)
    until(lambda: child.last_words() == "deaf")
    children.stop(["kube-apiserver"], grace=0.1)
    assert child.process.returncode == -signal.SIGKILL
    assert (children.names(), list(children.records()), list(children.ended())) == ([], [], [])


def test_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout
        child = Process.of(int(parent.stdout.readline()))
        assert child
        assert child.alive
        parent.kill()
    until(lambda: not child.alive)


PARENT = textwrap.dedent(
    """
    import sys, threading
    from pathlib import Path
    from aiinfra.lab.children import Children, Spawner
    spawner = Spawner(Path(sys.argv[1]), {})
    children = Children(spawner, Path(sys.argv[1]), lambda: None)
    wait = (sys.executable, "-c", "import signal; signal.pause()")
    threading.Thread(target=lambda: print(children.start("etcd", wait).process.pid, flush=True), daemon=True).start()
    spawner.serve()
    """
)
