from textwrap import dedent

from aiinfra.errors import ErrorRecord, Problem
from aiinfra.ui.errors import failure_text, problems_text
from aiinfra.ui.terminal import Terminal


def test_a_failure_says_what_why_and_a_way_out() -> None:
    record = ErrorRecord(
        "kube.unreachable", "cluster dc1", "https://10.0.0.5:6443 refused the connection", "start it", True
    )
    assert failure_text(record, Terminal(), exit_code=3, causes=["no route to host"]) + "\n" == dedent("""\
        ✗ cluster dc1: https://10.0.0.5:6443 refused the connection
          ← no route to host
          → start it
          code kube.unreachable · may pass by itself · exit 3
        """)


def test_every_problem_of_a_file_is_one_line() -> None:
    problems = [
        Problem("dc1.yaml:7:5", "stacks.nfd.clustr", "unknown key", "did you mean 'cluster'?"),
        Problem("dc1.yaml:9:5", "stacks.proof.expect.gpus", "must be at least 1"),
        Problem("--set", "", "'x' is not PATH=VALUE"),
    ]
    assert problems_text(problems, Terminal()) + "\n" == dedent("""\
        dc1.yaml:7:5: stacks.nfd.clustr: unknown key (did you mean 'cluster'?)
        dc1.yaml:9:5: stacks.proof.expect.gpus: must be at least 1
        --set: 'x' is not PATH=VALUE
        3 problems · nothing was touched · exit 2
        """)


def test_colour_marks_signs_and_places() -> None:
    text = failure_text(ErrorRecord("bug", "", "broken"), Terminal(colour=True), exit_code=1)
    assert text == "\x1b[31m✗\x1b[0m broken\n  \x1b[2mcode bug · exit 1\x1b[0m"
