"""Run aiinfra as a user would, kill a process of it at a chosen event, and ask the world what stands."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Told = Mapping[str, Any]
OnEvent = Callable[[Told, int], bool]
"""`(event, pid of aiinfra)`; True ends the listening."""


@dataclass(frozen=True)
class Site:
    """An environment in a folder of its own, with a HOME of its own."""

    folder: Path
    environ: Mapping[str, str]
    environment: str = "world"

    @property
    def things(self) -> Path:
        """Where the things of test kinds are files: the world."""
        return self.folder / "things"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def stderr(self) -> Path:
        """What the last run of `until` said there."""
        return self.folder / "stderr.log"

    def write(self, stacks: Mapping[str, Any], **more: Any) -> None:
        document = {
            "version": "v1",
            "name": self.environment,
            "state": {"url": f"file://{self.state}"},
            "stacks": stacks,
        }
        (self.folder / f"{self.environment}.yaml").write_text(json.dumps({**document, **more}))

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "aiinfra", *arguments]

    def run(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def result(self, verb: str, *more: str) -> Told:
        """The parsed result of a run that ends by itself."""
        done = self.run(verb, self.environment, "--yes", "--output", "json", *more)
        try:
            told: Told = json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"exit {done.returncode}\n{done.stdout}\n{done.stderr}") from None
        return told

    def until(self, on_event: OnEvent, *arguments: str) -> int:
        """Run a verb and hand each event to `on_event` until it answers True; then wait for the process to end."""
        with self.stderr.open("w") as stderr:
            process = subprocess.Popen(
                self.command(*arguments, "--events", "ndjson"),
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        with process, process.stdout as told:
            try:
                for line in told:
                    if on_event(json.loads(line), process.pid):
                        break
                for _ in told:
                    pass
            except BaseException:
                process.kill()
                raise
            return process.wait(timeout=300)

    def inventory(self) -> list[str]:
        """The things that stand, by stack and number; the id of each is left out."""
        return sorted(path.name.rpartition(".")[0] for path in self.things.glob("*") if not path.name.startswith("."))


def follow(site: Site, told: str, command: str, code: int = 0) -> str:
    """Run a command of aiinfra that a text names, exactly, with the approval that a terminal would ask for."""
    assert re.search(rf"\baiinfra {re.escape(command)}(?![\w-])", told), told
    approved = ["--yes"] if command.split(maxsplit=1)[0] in {"up", "destroy"} else []
    done = site.run(*command.split(), *approved)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def engine_of(pid: int) -> int | None:
    """The engine host that process `pid` started."""
    for child in children(pid):
        with suppress(OSError):
            if b"aiinfra-engine" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[0]:
                return child
    return None


def children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, task.read_text().split())


def kill(pid: int | None, number: int = signal.SIGKILL) -> None:
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
