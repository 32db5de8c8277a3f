"""An error record as text: what, why (`←`), a hint (`→`), the code. And all problems of a file, one a line."""

from __future__ import annotations

from collections.abc import Sequence

from aiinfra.errors import ErrorRecord, Problem
from aiinfra.ui.terminal import Terminal


def failure_text(record: ErrorRecord, terminal: Terminal, *, exit_code: int, causes: Sequence[str] = ()) -> str:
    """Return the text of a failure that belongs to no stack."""
    head = with_subject(record.where, record.message)
    return "\n".join(
        (
            f"{terminal.paint(terminal.marks.failed, 'red')} {head}",
            *reason_lines(record, causes, terminal),
            f"  {code_line(record, exit_code, terminal)}",
        )
    )


def with_subject(where: str, message: str) -> str:
    """Return the message with its subject in front, unless it begins with the subject."""
    return f"{where}: {message}" if where and not message.startswith(where) else message


def reason_lines(record: ErrorRecord, causes: Sequence[str], terminal: Terminal) -> list[str]:
    """Return the causes from leaf to root, then the hint."""
    marks = terminal.marks
    lines = [f"  {terminal.paint(marks.cause, 'red')} {indent_continuation(cause)}" for cause in causes]
    if record.hint:
        lines.append(f"  {terminal.paint(marks.hint, 'green')} {indent_continuation(record.hint)}")
    return lines


def code_line(record: ErrorRecord, exit_code: int, terminal: Terminal, *also: str) -> str:
    transient = ("may pass by itself",) if record.transient else ()
    return terminal.paint(" · ".join((f"code {record.code}", *transient, *also, f"exit {exit_code}")), "dim")


def problems_text(problems: Sequence[Problem], terminal: Terminal) -> str:
    """Return every problem as `file:line:col: path: message (hint)`, and how many there are."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    last = terminal.paint(f"{count} · nothing was touched · exit 2", "dim")
    return "\n".join((*(problem_line(problem, terminal) for problem in problems), last))


def problem_line(problem: Problem, terminal: Terminal) -> str:
    where = f"{terminal.paint(problem.where, 'bold')}: " if problem.where else ""
    path = f"{terminal.paint(problem.path, 'cyan')}: " if problem.path else ""
    return f"{where}{path}{problem.message}" + (f" ({problem.hint})" if problem.hint else "")


def indent_continuation(text: str) -> str:
    """Return the text with the lines after the first indented."""
    return text.replace("\n", "\n    ")
