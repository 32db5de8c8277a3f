"""Why a stack is as it is, as text: what was recorded, what its cluster says now, what it waits for, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from aiinfra.report.run import Failure
from aiinfra.report.status import Running, StackStatus, Why, WorldState
from aiinfra.ui.durations import age, duration
from aiinfra.ui.errors import indent_continuation, with_subject
from aiinfra.ui.ndjson import plain_value
from aiinfra.ui.report import proof_words
from aiinfra.ui.terminal import Terminal


def why_text(why: Why, now: datetime, terminal: Terminal) -> str:
    """Return the state, the last failure, what the cluster says now, what the stack waits for, the hints."""
    stack = why.stack
    lines = [f"{_mark(stack, terminal)} {terminal.paint(stack.stack, 'bold')} ({stack.kind}) {_state(stack, now)}"]
    lines += [f"  {line}" for line in _body(why, now, terminal)]
    return "\n".join(lines)


def _mark(known: StackStatus, terminal: Terminal) -> str:
    marks = terminal.marks
    colour = {"up": "green", "failed": "red"}.get(known.state, "dim")
    return terminal.paint({"up": marks.done, "failed": marks.failed}.get(known.state, marks.waiting), colour)


def _state(known: StackStatus, now: datetime) -> str:
    """`is up, last seen 2 h ago`, `failed 3 min ago`."""
    ago = age((now - known.at).total_seconds()) if known.at else ""
    words = {
        "up": f"is up, last seen {ago}",
        "drifted": "is not as it was left",
        "running": "is being worked on by the run that holds the environment",
        "interrupted": "was interrupted",
        "failed": f"failed {ago}",
        "partly destroyed": "is partly destroyed",
        "not created": "is not created",
        "no longer in the file": "is no longer in the file",
    }[known.state]
    return " · ".join((words, *([proof_words(known.proof, now)] if known.proof else [])))


def _body(why: Why, now: datetime, terminal: Terminal) -> Iterator[str]:
    stack = why.stack
    if stack.running:
        yield from _running(stack.running, now, terminal)
    elif stack.failure:
        yield from _failure(stack, stack.failure, now, terminal)
    yield from stack.changed
    changed = bool(stack.changed) or any(other.changed for other in why.waits_for)
    for place in why.now:
        yield from _place(place, stack, terminal, changed=changed)
    for other in why.waits_for:
        yield from _awaited_lines(other, now, terminal)
    if why.needs and not why.waits_for:
        yield f"needs {', '.join(need.stack for need in why.needs)}: up"
    if why.needed_by:
        yield f"needed by {', '.join(why.needed_by)}"
    if why.holder:
        begun = age((now - why.holder.at).total_seconds())
        yield f"held by `{why.holder.command}` on {why.holder.host}, pid {why.holder.pid}, begun {begun}"
    yield from (f"{terminal.paint(terminal.marks.hint, 'green')} {hint}" for hint in hints(why))


def _running(running: Running, now: datetime, terminal: Terminal) -> Iterator[str]:
    """Yield what a run noted: since when it works on the stack, what it waits for, and the causes that it sees."""
    began = f" runs for {duration((now - running.since).total_seconds())}" if running.since else " runs"
    if not running.awaited or running.awaited_since is None:
        yield f"`{running.verb}`{began}"
        return
    waited = duration((now - running.awaited_since).total_seconds())
    yield f"`{running.verb}`{began}, and has waited {waited} for {indent_continuation(running.awaited)}"
    yield from _chain(running.causes, terminal)


def _failure(stack: StackStatus, failure: Failure, now: datetime, terminal: Terminal) -> Iterator[str]:
    tried = f"`{failure.verb}` failed after {duration(failure.seconds)}"
    when = "" if stack.state == "failed" else f", {age((now - failure.at).total_seconds())}"
    where = "" if failure.error.where == stack.stack else failure.error.where
    yield f"{tried}{when}: {indent_continuation(with_subject(where, failure.error.message))}"
    yield from _chain(failure.causes, terminal)
    yield terminal.paint(f"code {failure.error.code}", "dim")


def _chain(causes: Sequence[str], terminal: Terminal) -> Iterator[str]:
    yield from (f"{terminal.paint(terminal.marks.cause, 'red')} {indent_continuation(cause)}" for cause in causes)


def _place(place: WorldState, stack: StackStatus, terminal: Terminal, *, changed: bool) -> Iterator[str]:
    """Yield what a place says now; recorded causes are not repeated. `changed`: something is known to differ."""
    line = f"now {place.place} {place.says}"
    told = stack.running.causes if stack.running else stack.failure.causes if stack.failure else None
    unsure = changed or not place.looked
    if told is None or not place.answers or (unsure and not place.causes):
        yield line
    elif not place.causes:
        gone = "it no more" if stack.failure and stack.failure.causes else "nothing of it"
        yield line if stack.running else f"{line}, and shows {gone}"
    elif tuple(place.causes) == tuple(told):
        yield f"{line}, and shows the same"
    else:
        yield f"{line}, and shows:"
        yield from _chain(place.causes, terminal)


def _awaited_lines(other: StackStatus, now: datetime, terminal: Terminal) -> Iterator[str]:
    reason = f": {other.failure.error.message}" if other.failure and other.state == "failed" else ""
    reason = f": {'; '.join(other.changed)}" if other.changed else reason
    yield f"waits for {other.stack}, which {_state(other, now)}{indent_continuation(reason)}"
    if other.running and other.running.awaited:
        yield f"which waits for {indent_continuation(other.running.awaited)}"
        yield from _chain(other.running.causes, terminal)
    if other.failure and other.state == "failed":
        yield from _chain(other.failure.causes, terminal)


def hints(why: Why) -> list[str]:
    """Return what to do, in order; nothing for a stack that is up and whose cluster answers."""
    stack, up = why.stack, f"aiinfra up {why.environment}"
    unreachable = [place.hint for place in why.now if not place.answers and place.hint]
    failed = [other for other in why.waits_for if other.state == "failed"]
    if failed:
        found = [other.failure.error.hint for other in failed if other.failure and other.failure.error.hint]
        return list(dict.fromkeys([*unreachable, *found, f"aiinfra why {why.environment} {failed[0].stack}"]))
    if stack.state == "up":
        return unreachable
    current = [place.hint for place in why.now if place.answers and place.hint]
    if why.holder:
        end = f"wait until that run has ended: aiinfra status {why.environment}"
        return list(dict.fromkeys([*unreachable, *current, end]))
    recorded = [] if current or _is_healed(why) or not stack.failure else [stack.failure.error.hint]
    destroying = stack.state == "partly destroyed" or (stack.failure and stack.failure.verb == "destroy")
    verb = f"aiinfra destroy {why.environment}, or {up}" if destroying else up
    return [hint for hint in dict.fromkeys([*unreachable, *current, *recorded, verb]) if hint]


def _is_healed(why: Why) -> bool:
    """Whether the cause of the failure is gone."""
    had = why.stack.failure is not None and why.stack.failure.causes
    looked = any(place.answers and place.looked for place in why.now)
    return bool(had and looked and not any(now.causes for now in why.now))


def why_json(why: Why) -> dict[str, object]:
    return {"why": plain_value(why), "ways_out": hints(why)}
