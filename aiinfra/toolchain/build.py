"""Build the commands of one Go module in one `go build`, and say truly how far it is."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiinfra.errors import OutsideError
from aiinfra.toolchain.golang import Go
from aiinfra.toolchain.table import GoModule, Tool
from aiinfra.waiting import Pending, Waiter

BUILD_LIMIT = 7200.0
"""Seconds; a cold build of the lab's servers takes about 250 on two free cores."""
SAY_EVERY = 3.0
"""Seconds between two sentences about one step."""
_IMPORT_PATH = re.compile(r"[\w./~+-]+")
_NETWORK = re.compile(
    r"dial tcp|no such host|connection refused|i/o timeout|TLS handshake|proxyconnect|\b403 Forbidden"
)


@dataclass(slots=True)
class Step:
    """One go command under way: what it does, and how far it is by the lines it prints."""

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
        elif _IMPORT_PATH.fullmatch(line):
            self.done, self.latest = self.done + 1, line

    def __str__(self) -> str:
        if not self.total:
            return f"{self.doing}: {self.latest}" if self.latest else self.doing
        if self.done >= self.total:
            return f"{self.doing}: all {self.total} packages compiled, linking"
        return f"{self.doing}: {self.done} of {self.total} packages compiled, now {self.latest or 'starting'}"


@dataclass(frozen=True, slots=True)
class Bench:
    """Where one module is built: the Go, an empty folder, the log that keeps the output, who hears the progress."""

    go: Go
    module: GoModule
    work: Path
    log: Path
    say: Callable[[str], None]

    def build(self, tools: Sequence[Tool]) -> Mapping[str, Path]:
        """Build `tools`, all of this module, in one go; returns the programs by name.

        Raises OutsideError with code `toolchain.` and `build`, `network`, `space` or `checksum`.
        """
        names = ", ".join(tool.name for tool in tools)
        packages = [tool.package for tool in tools]
        listing = ["list", *self.module.flags, "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", *packages]
        stale = self._run(listing, Step(f"resolving the Go modules of {names}"))
        out = self.work / "bin"
        out.mkdir()
        target = str(out / tools[0].built_name) if len(tools) == 1 else f"{out}{os.sep}"
        step = Step(f"building {names}", total=len(stale.split()))
        self._run(["build", *self.module.flags, "-v", "-o", target, *packages], step)
        return {tool.name: out / tool.built_name for tool in tools}

    def _run(self, arguments: Sequence[str], step: Step) -> str:
        """Run `go` to its end and return what it printed; its other output goes to the step and the log."""
        command = [str(self.go.program), *arguments]
        printed, scratch = self.work / "stdout", self.work / "tmp"
        scratch.mkdir(exist_ok=True)
        with printed.open("w") as stdout:
            process = subprocess.Popen(
                command,
                cwd=self.module.folder,
                env={**self.go.environ, "GOTMPDIR": str(scratch)},
                stdout=stdout,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            code = _follow(process, step, self.say)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("\n".join([" ".join(command), *step.log, ""]))
        if code:
            raise failure(step, self.module, self.log)
        return printed.read_text()


def _follow(process: subprocess.Popen[str], step: Step, say: Callable[[str], None]) -> int:
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
        code = Waiter(limit=BUILD_LIMIT, every=0.2, heartbeat=SAY_EVERY, on_wait=Pace(say)).until(ask)
        reader.join()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reader.join()
        stderr.close()
    return code


@dataclass(slots=True)
class Pace:
    """Passes on a sentence about a step at most each `SAY_EVERY` seconds."""

    say: Callable[[str], None]
    said_at: float = -SAY_EVERY

    def __call__(self, what: str, since: float) -> None:
        if since - self.said_at >= SAY_EVERY:
            self.said_at = since
            self.say(f"{what} ({since:.0f} s)")


def failure(step: Step, module: GoModule, log: Path) -> OutsideError:
    """What the output of a failed go command means to the user."""
    text = "\n".join(step.log)
    first = next((line for line in step.log if _is_error(line)), "it did not say why")
    if "no space left on device" in text:
        return OutsideError(
            f"no space left on the disk while {step.doing}",
            code="toolchain.space",
            hint=f"free {module.disk}, or set XDG_CACHE_HOME, GOCACHE and TMPDIR to a disk that has it",
        )
    if "SECURITY ERROR" in text or "checksum mismatch" in text:
        return OutsideError(
            f"a Go module does not match the committed go.sum while {step.doing}",
            code="toolchain.checksum",
            hint=f"the Go module proxy served other contents than were pinned; the whole log is {log}",
        )
    if _NETWORK.search(text):
        return OutsideError(
            f"the Go module proxy refused or cannot be reached while {step.doing}: {first}",
            code="toolchain.network",
            hint="run `aiinfra toolchain mirror DIR` on a connected machine and name it here with --toolchain DIR",
            transient=True,
        )
    return OutsideError(f"{step.doing} failed: {first}", code="toolchain.build", hint=f"the whole log is {log}")


def _is_error(line: str) -> bool:
    noise = ("#", " ", "\t", "go: downloading ")
    return bool(line) and not line.startswith(noise) and _IMPORT_PATH.fullmatch(line) is None
