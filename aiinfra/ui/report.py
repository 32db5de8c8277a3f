"""How a run and its stacks ended, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from aiinfra.report.run import Outcome, Proof, Reason, RunReport, StackResult, Verb, by_loss
from aiinfra.ui.durations import age, duration
from aiinfra.ui.errors import code_line, failure_text, indent_continuation, reason_lines, with_subject
from aiinfra.ui.progress import PAST
from aiinfra.ui.terminal import Terminal

NAMED = 12
"""Dependents that one line names."""
_FAILED = (Outcome.FAILED, Outcome.INTERRUPTED)
_UNTOUCHED = (Outcome.BLOCKED, Outcome.SKIPPED, Outcome.FORGOTTEN)
_DONE_WORD: Mapping[Outcome, str] = {
    Outcome.CHANGED: "done",
    Outcome.UNCHANGED: "unchanged",
    Outcome.DESTROYED: "destroyed",
    Outcome.FORGOTTEN: "forgotten",
    Outcome.SKIPPED: "skipped",
    Outcome.BLOCKED: "left as it was",
    Outcome.FAILED: "failed",
    Outcome.INTERRUPTED: "interrupted",
}


def mark(outcome: Outcome, terminal: Terminal) -> str:
    """Return the sign of an outcome, in its colour."""
    if outcome in _FAILED:
        return terminal.paint(terminal.marks.failed, "red")
    if outcome in _UNTOUCHED:
        return terminal.paint(terminal.marks.waiting, "dim")
    return terminal.paint(terminal.marks.done, "green")


def outcome_words(result: StackResult, verb: Verb, environment: str, now: datetime | None) -> str:
    """Return what happened to a stack: `3 created, 1 updated`, `unchanged (last seen 2 h ago)`, `left as it was (…)`.

    Ages are left out when `now` is None.
    """
    words = _DONE_WORD[result.outcome]
    if result.outcome in (Outcome.CHANGED, Outcome.DESTROYED) and (counts := changes_words(result.changes, verb)):
        words = counts
    reason = reason_words(result, environment, now)
    return "".join((words, f" ({reason})" if reason else "", *(f" · {note}" for note in notes(result, now))))


def reason_words(result: StackResult, environment: str, now: datetime | None) -> str:
    """Return why a stack has its outcome; empty when the outcome says it."""
    match result.reason:
        case None:
            return ""
        case Reason.INPUTS_UNCHANGED:
            return f"last seen {age((now - result.last_seen).total_seconds())}" if now and result.last_seen else ""
        case Reason.NEEDED_FAILED:
            return f"{result.related} {result.related_outcome.value if result.related_outcome else 'failed'}"
        case Reason.ACCESS_GONE:
            count = "1 resource" if result.forgotten == 1 else f"{result.forgotten} resources"
            return f"{count} in {result.related}, which does not answer"
        case other:
            return _REASONS[other].format(environment=environment)


_REASONS: Mapping[Reason, str] = {
    Reason.NO_DIFFERENCE: "ran, nothing differed",
    Reason.AS_RECORDED: "as in the state",
    Reason.DRIFTED: "the world differs; aiinfra up {environment} repairs it",
    Reason.DRIFTED_PARTLY_REPAIRABLE: "the world differs, and aiinfra up {environment} does not bring all of it back",
    Reason.NOT_UP: "is not up",
    Reason.NOT_THERE: "was not there",
    Reason.STOPPED: "stopped; what had begun is saved",
    Reason.NOT_STARTED: "stopped before its start",
}


def notes(result: StackResult, now: datetime | None) -> list[str]:
    """Return what a reader must know beside the outcome: how sure a preview is, how old a proof is."""
    found = [result.certainty] if result.certainty else []
    if result.unknown_outputs:
        found.append(f"known after {result.stack}: {', '.join(result.unknown_outputs)}")
    return [*found, *([proof_words(result.proof, now)] if result.proof else [])]


def proof_words(proof: Proof, now: datetime | None) -> str:
    """`proved 2 h ago (the CUDA run was simulated)`, `proved before gpu-operator changed, 2 h ago`."""
    since = f" {age((now - proof.at).total_seconds())}" if now else ""
    stale = f" before {proof.before} changed{',' if since else ''}" if proof.before else ""
    return f"proved{stale}{since}{' (the CUDA run was simulated)' if proof.simulated else ''}"


def changes_words(changes: Mapping[str, int], verb: Verb) -> str:
    """`3 created, 1 updated`; in a preview `3 to create, 1 to update`. Resources that stay as they are do not count."""
    moved = {operation: count for operation, count in changes.items() if operation not in ("same", "read") and count}
    if verb is Verb.PREVIEW:
        return ", ".join(f"{count} to {operation}" for operation, count in moved.items())
    return ", ".join(f"{count} {PAST.get(operation, operation)}" for operation, count in moved.items())


def failure_block(result: StackResult, report: RunReport, terminal: Terminal) -> str:
    """Return the text of a failed stack: how long it tried, what failed and why, and the stacks it blocks."""
    head = f"{mark(result.outcome, terminal)} {terminal.paint(result.stack, 'bold')}"
    lines = [f"{head}  {_DONE_WORD[result.outcome]} after {duration(result.seconds)}"]
    if result.error is None:
        return "\n".join(
            (*lines, f"  {indent_continuation(reason_words(result, report.environment, report.ended_at))}")
        )
    blocked = [other.stack for other in report.results if other.outcome is Outcome.BLOCKED]
    left = (f"{', '.join(blocked)} left as {'it was' if len(blocked) == 1 else 'they were'}",) if blocked else ()
    where = "" if result.error.where == result.stack else result.error.where
    lines.append(f"  {indent_continuation(with_subject(where, result.error.message))}")
    lines += reason_lines(result.error, result.causes, terminal)
    lines.append(f"  {code_line(result.error, report.exit_code, terminal, *left)}")
    return "\n".join(lines)


def report_text(report: RunReport, terminal: Terminal) -> str:
    """Return the end of a run: failures in full, then one closing sentence, then what was simulated."""
    blocks = [failure_block(result, report, terminal) for result in report.results if result.outcome in _FAILED]
    blocks += ["\n".join(lines) for result in report.results if (lines := drift_lines(result))]
    blocks += [failure_text(error, terminal, exit_code=report.exit_code) for error in report.errors]
    closing = "\n".join((closing_line(report), *_simulated_lines(report.simulated, terminal)))
    return "\n\n".join((*blocks, closing))


def drift_lines(result: StackResult) -> list[str]:
    """`nfd differs:`, then each difference on a line of its own; nothing when none is known."""
    return [f"{result.stack} differs:", *(f"  {line}" for line in result.drift)] if result.drift else []


def closing_line(report: RunReport) -> str:
    """`lab: 4 stacks unchanged, 0.2 s`, or after a destroy `Nothing left: …`."""
    counted = ", ".join(f"{count} {word}" for word, count in tally(report.results).items())
    line = f"{report.environment} · {counted or 'no stacks'} · {duration(report.seconds)}"
    if report.verb is Verb.DESTROY and report.nothing_left and report.exit_code == 0:
        removed = sum(result.changes.get("delete", 0) for result in report.results)
        removal = "" if not removed else " 1 resource removed." if removed == 1 else f" {removed} resources removed."
        where = " where it was asked" if report.not_asked else ""
        line += f"\nNothing left{where}: " + ", ".join(report.nothing_left) + "." + removal
    not_asked = (f"Not asked: {sentence}." for sentence in report.not_asked)
    return "\n".join((line, *removal_lines(report), *not_asked, *_return_lines(report)))


def removal_lines(report: RunReport) -> list[str]:
    """Return what became of things that others may use too, what of others went along, and what was left out."""
    shared: dict[str, list[str]] = {}
    for one in report.shared:
        head = f"Removed with {one.stack}" if one.removed else f"Kept of {one.stack}, as {one.why}"
        shared.setdefault(f"{head}: {one.kind}", []).append(one.name)
    lines = [f"{head}{'s' if len(names) > 1 else ''} {', '.join(names)}." for head, names in shared.items()]
    lines += [f"Taken along with {s}: {names} ({loss})." for s, names, loss in by_loss(report.dependents, NAMED)]
    return [*lines, *(f"Left out: {text}." for result in report.results for text in result.left_out)]


def _return_lines(report: RunReport) -> list[str]:
    """Return what to do if a forgotten cluster comes back: nothing beside the state has the environment's id."""
    if report.simulated or not (report.not_asked and report.nothing_left and report.environment_id):
        return []
    command = f"aiinfra destroy {report.environment} --environment-id {report.environment_id}"
    return [f"If it comes back, this removes what carries the environment's mark: {command}"]


def tally(results: Sequence[StackResult]) -> dict[str, int]:
    """Return the number of stacks by outcome, in words: `{"unchanged": 4, "failed": 1}`."""
    counts = Counter(result.outcome for result in results)
    blocked = "left as it was" if counts[Outcome.BLOCKED] == 1 else "left as they were"
    return {blocked if outcome is Outcome.BLOCKED else _DONE_WORD[outcome]: n for outcome, n in counts.items()}


def _simulated_lines(sentences: Sequence[str], terminal: Terminal) -> list[str]:
    if not sentences:
        return []
    return [terminal.paint("Simulated:", "yellow"), *(f"  {sentence}" for sentence in sentences)]
