"""Build the commands of one Go module in one `go build`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aiinfra.dataclass import dataclass
from aiinfra.errors import OutsideError
from aiinfra.toolchain.command import IMPORT_PATH, Command, GoProgress
from aiinfra.toolchain.golang import Go
from aiinfra.toolchain.table import GoModule, Tool

_NETWORK = re.compile(
    r"dial tcp|no such host|connection refused|i/o timeout|TLS handshake|proxyconnect|\b403 Forbidden"
)


@dataclass(frozen=True, slots=True)
class ModuleBuild:
    """The build of one module: the Go, an empty folder, the log of its output, and a listener for progress."""

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
        stale = self._run(listing, GoProgress(f"resolving the Go modules of {names}"))
        out = self.work / "bin"
        out.mkdir()
        target = str(out / tools[0].built_name) if len(tools) == 1 else f"{out}{os.sep}"
        step = GoProgress(f"building {names}", total=len(stale.split()))
        self._run(["build", *self.module.flags, "-v", "-o", target, *packages], step)
        return {tool.name: out / tool.built_name for tool in tools}

    def _run(self, arguments: Sequence[str], step: GoProgress) -> str:
        """Run `go` to its end and return what it printed; its other output goes to the step and the log."""
        printed, scratch = self.work / "stdout", self.work / "tmp"
        scratch.mkdir(exist_ok=True)
        arguments = [str(self.go.program), *arguments]
        command = Command(arguments, self.module.folder, {**self.go.environ, "GOTMPDIR": str(scratch)})
        code = command.run(printed, step, self.say)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("\n".join([" ".join(arguments), *step.log, ""]))
        if code:
            raise build_error(step, self.module, self.log)
        return printed.read_text()


def build_error(step: GoProgress, module: GoModule, log: Path) -> OutsideError:
    """Return the error for the output of a failed go command."""
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
    return bool(line) and not line.startswith(noise) and IMPORT_PATH.fullmatch(line) is None
