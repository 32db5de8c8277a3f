"""What only a process of its own can show: the entry point, imports, pipes, bugs, interrupts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from aiinfra import __version__
from tests.unit.cli.conftest import SMALL

HEAVY = ("pulumi", "pulumi_kubernetes", "grpc", "rich", "jinja2", "httpx", "pyVmomi", "importlib.metadata")
READ_ONLY = [
    ["--version"],
    ["--help"],
    ["validate", "small"],
    ["plan", "small"],
    ["graph", "small"],
    ["explain", "small", "stacks.nfd.kind"],
    ["kinds"],
    ["schema"],
]
SPY = """
import sys
from aiinfra.__main__ import main
code = main(sys.argv[2:])
loaded = [name for name in sys.argv[1].split(",") if name in sys.modules]
sys.stderr.write(",".join(loaded))
sys.exit(code)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(SMALL)
    return tmp_path


def python(home: Path, *arguments: str, **kwargs: object) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.defpath, "HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, *arguments], cwd=home, env=environ, stdin=subprocess.DEVNULL, text=True, capture_output=True,
        check=False,
    )  # fmt: skip


def test_the_version_is_one_line(home: Path) -> None:
    done = python(home, "-m", "aiinfra", "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"aiinfra {__version__}\n", "")


@pytest.mark.parametrize("argv", READ_ONLY, ids=" ".join)
def test_commands_that_only_read_load_nothing_heavy(argv: Sequence[str], home: Path) -> None:
    done = python(home, "-c", SPY, ",".join(HEAVY), *argv)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("argv", [["--version"], ["--help"]], ids=" ".join)
def test_the_fastest_commands_load_no_models(argv: Sequence[str], home: Path) -> None:
    done = python(home, "-c", SPY, "pydantic,ruamel.yaml,stacks,logging", *argv)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["validate", "plan", "status"])
def test_a_command_and_env_alone_load_no_typer(command: str, home: Path) -> None:
    done = python(home, "-c", SPY, "typer,importlib.metadata", command, "small")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_a_check_loads_only_the_models_that_the_file_needs(command: str, home: Path) -> None:
    others = (
        "aiinfra.config.lab_block,aiinfra.domains.vsphere.lab.block,aiinfra.domains.kubernetes.lab.block,"
        "stacks.vsphere_gpu_template.spec,stacks.gpu_proof.spec"
    )
    done = python(home, "-c", SPY, others, command, "small")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_end_of_a_process_searches_no_garbage(home: Path) -> None:
    script = "import atexit, gc, sys\natexit.register(lambda: print(gc.get_freeze_count() > 1000))\n"
    done = python(home, "-c", script + "from aiinfra.__main__ import main\nmain(['kinds'])")
    assert done.stdout.splitlines()[-1] == "True"


BUG = """
import sys
from aiinfra.cli import entry, kinds
from aiinfra.cli.console import Console
def broken(self, *rest):
    self.hide(["hunter22"])
    raise ZeroDivisionError("the password is hunter22")
Console.answer = broken
sys.exit(entry.run(sys.argv[1:]))
"""


def test_a_bug_is_one_sentence_and_a_crash_file_without_secrets(home: Path) -> None:
    done = python(home, "-c", BUG, "kinds")
    assert (done.returncode, done.stdout) == (1, "")
    [crash] = (home / ".local/state/aiinfra/crashes").iterdir()
    assert done.stderr == (
        f"✗ aiinfra has a bug, ZeroDivisionError: the details are in {crash}\n"
        "  → please report it with that file; running the command again is safe\n"
        "  code bug · exit 1\n"
    )
    text = crash.read_text()
    assert "ZeroDivisionError: the password is <secret>" in text
    assert "hunter22" not in text
    assert crash.stat().st_mode & 0o777 == 0o600


def test_a_bug_is_json_too(home: Path) -> None:
    done = python(home, "-c", BUG, "kinds", "--output", "json")
    assert (done.returncode, done.stderr) == (1, "")
    assert [error["code"] for error in json.loads(done.stdout)["errors"]] == ["bug"]


INTERRUPTED = """
import sys
from aiinfra.cli import entry
from aiinfra.cli.console import Console
def interrupted(self, *rest):
    raise KeyboardInterrupt
Console.answer = interrupted
sys.exit(entry.run(sys.argv[1:]))
"""


STOPPED = (
    "✗ stopped before it was done\n"
    "  → run the command again: it continues where it stopped\n"
    "  code run.interrupted · exit 130\n"
)


@pytest.mark.parametrize("argv", [["kinds"], ["validate", "small"]], ids=" ".join)
def test_an_interrupt_is_exit_130_without_a_traceback(argv: Sequence[str], home: Path) -> None:
    done = python(home, "-c", INTERRUPTED, *argv)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", STOPPED)


SIGNALLED = """
import os, signal, sys
from aiinfra.cli import entry
from aiinfra.cli.console import Console
def struck(self, *rest):
    os.kill(os.getpid(), signal.Signals[sys.argv.pop()])
Console.answer = struck
sys.exit(entry.run(sys.argv[1:-1]))
"""


@pytest.mark.parametrize("argv", [["kinds"], ["validate", "small"]], ids=" ".join)
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_polite_end_and_a_terminal_that_closes_are_interrupts(name: str, argv: Sequence[str], home: Path) -> None:
    heeding = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # the tests may run under nohup
    done = python(home, "-c", heeding + SIGNALLED, *argv, name)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", STOPPED)


def test_who_is_run_under_nohup_outlives_its_terminal(home: Path) -> None:
    ignoring = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    assert python(home, "-c", ignoring + SIGNALLED, "kinds", "SIGHUP").returncode == 0


def test_a_reader_that_leaves_early_is_no_failure(home: Path) -> None:
    script = f"{sys.executable} -m aiinfra schema | head -c 10; exit ${{PIPESTATUS[0]}}"
    environ = {"PATH": os.defpath, "HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(["bash", "-c", script], cwd=home, env=environ, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("words", "code"), [("--version", 0), ("kinds", 0), ("plan small -o json", 0), ("plan small", 0), ("pln", 2)]
)
def test_a_standard_stream_that_is_closed_is_no_failure(words: str, code: int, closed: str, home: Path) -> None:
    script = f"{sys.executable} -m aiinfra {words} {closed}"
    environ = {"PATH": os.defpath, "HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(["bash", "-c", script], cwd=home, env=environ, text=True, capture_output=True, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stdout + done.stderr
    assert "has a bug" not in done.stdout + done.stderr


def complete(home: Path, words: str, at: int) -> list[str]:
    environ = {
        "PATH": os.defpath, "HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "COMP_WORDS": words, "COMP_CWORD": str(at), "_AIINFRA_COMPLETE": "complete_bash",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "aiinfra"], cwd=home, env=environ, text=True, capture_output=True, check=False
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "at", "offered"),
    [
        ("aiinfra pl", 1, ["plan"]),
        ("aiinfra up sm", 2, ["small"]),
        ("aiinfra up small --only n", 4, ["nfd"]),
        ("aiinfra outputs small ", 3, ["cluster", "nfd"]),
        ("aiinfra rehearse small --fault im", 4, ["image-pull"]),
        ("aiinfra schema e", 2, ["environment", "events", "errors"]),
        ("aiinfra up broken --only n", 4, []),
    ],
)
def test_the_shell_completes(words: str, at: int, offered: list[str], home: Path) -> None:
    assert complete(home, words, at) == offered


def test_an_answer_that_could_not_be_written_is_said(home: Path) -> None:
    environ = {"PATH": os.defpath, "HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "aiinfra", "kinds"], cwd=home, env=environ, stdout=full, stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        3,
        "✗ standard output could not be written: No space left on device\n  code cli.output_lost · exit 3\n",
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("kinds --output json", 3, "✗ standard output could not be written: No space left on device"),
        ("plan nowhere --output json", 2, "✗ ENV: no environment is named nowhere: looked for nowhere.yaml in "),
    ],
)
def test_what_a_machine_could_not_be_told_is_said_to_people(words: str, code: int, said: str, home: Path) -> None:
    script = f"{sys.executable} -m aiinfra {words} >/dev/full"
    environ = {"PATH": os.defpath, "HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(["bash", "-c", script], cwd=home, env=environ, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr.startswith(said)) == (code, True), done.stderr


def test_a_working_directory_that_is_gone_is_no_bug(home: Path) -> None:
    environ = {"PATH": os.defpath, "HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    for env, code, said in (
        (f"{home}/small.yaml", 0, "small · 2 stacks · "),
        ("other", 2, "✗ ENV: no environment is "),
    ):
        script = f"mkdir gone; cd gone; rmdir ../gone; {sys.executable} -m aiinfra plan {env} 2>&1"
        done = subprocess.run(
            ["bash", "-c", script], cwd=home, env=environ, text=True, capture_output=True, check=False
        )
        assert (done.returncode, done.stdout.startswith(said)) == (code, True), done.stdout
