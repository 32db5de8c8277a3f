"""Run a long command to its end and report its progress."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from aiinfra.dataclass import dataclass
from aiinfra.errors import OutsideError
from aiinfra.waiting import Pending, TimedOut, Waiter

LIMIT = 7200.0
"""Seconds; a cold build of the lab's servers takes about 250 on two free cores."""
SAY_EVERY = 5.0
"""Seconds between two sentences about one step."""
IMPORT_PATH = re.compile(r"[\w./~+-]+")


@dataclass(slots=True)
class GoProgress:
    """A command under way: what it does, and how far it is by the lines that `go` prints."""

    doing: str
    total: int = 0
    """Packages to compile, when it compiles."""
    log: list[str] = field(default_factory=list)
    done: int = 0
    latest: str = ""

    def hear(self, line: str) -> None:
        """One line of the command: a module that is downloaded, a package that is compiled, or an error."""
        self.log.append(line)
        if line.startswith("go: downloading "):
            self.latest = " ".join(line.split()[2:4])
        elif IMPORT_PATH.fullmatch(line):
            self.done, self.latest = self.done + 1, line

    def __str__(self) -> str:
        if not self.total:
            return f"{self.doing}: {self.latest}" if self.latest else self.doing
        if self.done >= self.total:
            return f"{self.doing}: all {self.total} packages compiled, linking"
        return f"{self.doing}: {self.done} of {self.total} packages compiled, now {self.latest or 'starting'}"


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments, folder and variables."""

    arguments: Sequence[str]
    cwd: Path
    environ: Mapping[str, str]

    def run(self, stdout: Path, step: GoProgress, say: Callable[[str], None]) -> int:
        """Run it to its end; `step` hears its standard error. Returns the exit code; the process does not outlive
        this call, and ends by its next line when this process is killed. Until then it holds the install lock."""
        with stdout.open("w") as sink:
            process = subprocess.Popen(
                self.arguments,
                cwd=self.cwd,
                env=self.environ,
                stdout=sink,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
                close_fds=False,
            )
        return _follow(process, step, say)


def _follow(process: subprocess.Popen[str], step: GoProgress, say: Callable[[str], None]) -> int:
    """Hear the process to its end and return its exit code; it does not outlive this call."""
    assert process.stderr is not None
    stderr = process.stderr

    def hear() -> None:
        for line in stderr:
            step.hear(line.rstrip())

    def ask() -> int | Pending:
        code = process.poll()
        return Pending(str(step)) if code is None else code

    reader = threading.Thread(target=hear, daemon=True)
    reader.start()
    try:
        code = Waiter(limit=LIMIT, every=0.2, heartbeat=SAY_EVERY, on_wait=Pace(say)).until(ask)
    except TimedOut as error:
        raise OutsideError(
            f"{step.doing} has not ended after {LIMIT / 3600:.0f} hours",
            code="toolchain.build",
            hint="run the command again",
            transient=True,
        ) from error
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        reader.join()
        stderr.close()
    return code


@dataclass(slots=True)
class Pace:
    """Passes on a sentence about a step at most each `SAY_EVERY` seconds."""

    say: Callable[[str], None]
    reported_at: float = -SAY_EVERY

    def __call__(self, what: str, since: float) -> None:
        if since - self.reported_at >= SAY_EVERY:
            self.reported_at = since
            self.say(f"{what} ({since:.0f} s)")
