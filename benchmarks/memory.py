"""How much memory a command and all that it starts hold at most."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from aiinfra.waiting import Pending, Stopped, Waiter
from benchmarks.measure import Failed

EVERY = 0.02
"""Seconds between two looks."""
LIMIT = 600.0


def peak(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> float:
    """MiB: the sum of the highest resident sizes that each process of the command's tree reached."""
    highest: dict[int, int] = {}
    ended = threading.Event()
    with subprocess.Popen(
        command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        watch = threading.Thread(target=_watch, args=(process.pid, highest, ended))
        watch.start()
        said = process.communicate()[1]
        ended.set()
        watch.join()
    if process.returncode != 0:
        raise Failed(f"{' '.join(command)}: exit {process.returncode}\n{said.decode(errors='replace')}")
    return sum(highest.values()) / 1024


def _watch(root: int, highest: dict[int, int], ended: threading.Event) -> None:
    def look() -> Pending:
        for pid in _tree(root):
            highest[pid] = max(highest.get(pid, 0), _high_water(pid))
        return Pending("the command")

    with suppress(Stopped):
        Waiter(limit=LIMIT, every=EVERY, stop=ended).until(look)


def _tree(root: int) -> Iterator[int]:
    yield root
    for children in Path(f"/proc/{root}/task").glob("*/children"):
        for child in _text(children).split():
            yield from _tree(int(child))


def _high_water(pid: int) -> int:
    """KiB; 0 when the process is gone."""
    lines = _text(Path(f"/proc/{pid}/status")).splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
