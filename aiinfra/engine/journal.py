"""What is recorded of an environment between runs, as typed notes: its id, and each stack's last success.

The rule that keeps `unchanged` honest: a stack's success note is deleted before an operation on it starts and written
last, after it succeeded. A `running` note exists while an operation runs; one found at a start means that a run was
interrupted there, and the stack's state is repaired first.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, field, fields, replace
from datetime import datetime
from typing import Any, TypeGuard

from aiinfra.dataclass import dataclass
from aiinfra.engine.failure import CAUSE
from aiinfra.engine.notes import Notes
from aiinfra.errors import ErrorRecord, OutsideError
from aiinfra.report.run import Failure
from aiinfra.report.status import Running
from aiinfra.stack import MARK_ID

_ID = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Success:
    """A stack's last success."""

    digest: str
    """The digest of its inputs; see `digest.py`."""
    result: str
    """The digest of `digest` and the outputs: it represents this stack in the digests of those that refer to it."""
    at: datetime
    seconds: float
    """How long it took; shown as the usual duration of the next run."""
    kind: str
    uid: str = ""
    """The identity of what the stack gives access to, when it exports one."""
    proved_at: str = ""
    """ISO 8601, UTC, when the stack is a proof."""
    simulated: bool = False
    """True when the proof's run was simulated."""
    needs: tuple[str, ...] = ()
    """The stacks that it depended on, for a destroy when the file no longer has the stack."""
    change: str = ""
    """A fresh token for each run that changed anything of it, or was not seen to change nothing."""
    proved_under: Mapping[str, str] = field(default_factory=dict)
    """By each stack that a proof depends on, its `change` when the proof ran."""


@dataclass(frozen=True, slots=True)
class Journal:
    notes: Notes

    def environment_id(self) -> str | None:
        """Return the environment's id, None when it has none. Raises `OutsideError` when the note is damaged."""
        raw = self.notes.get("environment.json")
        if raw is None:
            return None
        note = _parse("environment.json", raw)
        if note is None or not _ID.fullmatch(str(note.get("id"))):
            raise OutsideError(
                "the note environment.json beside the state, which holds the environment's id, is damaged",
                code="state.note_unreadable",
                where="environment.json",
                hint=f'write {{"id": ID}} to it; ID is the label {MARK_ID} of any object that the environment made',
            )
        return str(note["id"])

    def make_environment_id(self, name: str, now: datetime) -> str:
        """Return the environment's id, created when it has none; when another run created it first, that one counts."""
        fresh = {"id": secrets.token_hex(6), "name": name, "made_at": now.isoformat()}
        self.notes.create("environment.json", json.dumps(fresh).encode())
        made = self.environment_id()
        if made is None:
            raise OutsideError(
                "the state does not keep what is written to it",
                code="state.lost",
                where="environment.json",
                hint="check that the state's storage is writable and consistent",
            )
        return made

    def seal(self) -> str:
        """Return the seal of the last run that opened the state's secrets; empty when there is none."""
        return (self.notes.get("seal") or b"").decode(errors="replace")

    def keep_seal(self, seal: str) -> None:
        self.notes.put("seal", seal.encode())

    def success(self, stack: str) -> Success | None:
        """Return the stack's last success. None also when the note is damaged or of another version."""
        raw = self.notes.get(f"stacks/{stack}.json")
        if raw is None:
            return None
        note = _parse(f"stacks/{stack}.json", raw)
        if not _has_fields_of(note, Success):
            return None
        note |= {"at": datetime.fromisoformat(note["at"]), "needs": tuple(note["needs"])}
        return Success(**note)

    def usual(self, verb: str, stack: str) -> float | None:
        """Return the seconds that `verb` last took on the stack; None when that is not known."""
        raw = self.notes.get(f"usual/{verb}/{stack}")
        try:
            return None if raw is None else float(raw)
        except ValueError:
            return None

    def begin(self, stack: str, verb: str, at: datetime | None = None) -> None:
        """Record that an operation is about to start."""
        note = {"verb": verb, "at": at.isoformat() if at else ""}
        self.notes.put(f"running/{stack}", json.dumps(note).encode())
        if verb == "destroy":
            self.notes.put(f"undone/{stack}", b"")
        self.forget(stack)

    def half_destroyed(self, stack: str) -> bool:
        """Return whether a destroy of the stack was begun, and neither it nor a later `up` succeeded."""
        return self.notes.get(f"undone/{stack}") is not None

    def record_destroyed(self, stack: str) -> None:
        """Record that nothing of the stack is left in its state."""
        self.forget(stack)
        for topic in ("undone", "failed", "suspect", "interrupted", "drift"):
            self.notes.delete(f"{topic}/{stack}")

    def record_failure(self, stack: str, failure: Failure) -> None:
        note = {**asdict(failure), "at": failure.at.isoformat()}
        self.notes.put(f"failed/{stack}", json.dumps(note).encode())

    def failure(self, stack: str) -> Failure | None:
        """Return the stack's last failure. None also when the note is damaged or of another version."""
        raw = self.notes.get(f"failed/{stack}")
        note = None if raw is None else _parse(f"failed/{stack}", raw)
        if not _has_fields_of(note, Failure) or not _has_fields_of(note["error"], ErrorRecord):
            return None
        note |= {"at": datetime.fromisoformat(note["at"]), "error": ErrorRecord(**note["error"])}
        return Failure(**{**note, "causes": tuple(note["causes"])})

    def end(self, stack: str) -> None:
        """Record that the operation returned, however it ended."""
        self.notes.delete(f"running/{stack}")

    def keep_awaited(self, stack: str, what: str, since: datetime) -> None:
        """Record what a running operation waits for, for whoever asks meanwhile."""
        self.notes.put(f"awaited/{stack}", json.dumps({"what": what, "since": since.isoformat()}).encode())

    def forget_awaited(self, stack: str) -> None:
        self.notes.delete(f"awaited/{stack}")

    def running(self, stack: str) -> Running | None:
        """Return what is noted of the operation that runs on the stack; None when none is noted."""
        raw = self.notes.get(f"running/{stack}")
        if raw is None:
            return None
        note = _parse(f"running/{stack}", raw) or {"verb": raw.decode(errors="replace")}
        running = Running(str(note.get("verb")), _time(note.get("at")))
        kept = self.notes.get(f"awaited/{stack}")
        awaited = (kept and _parse(f"awaited/{stack}", kept)) or {}
        what, since = str(awaited.get("what") or ""), _time(awaited.get("since"))
        if not what or since is None or (running.since and since < running.since):
            return running  # nothing, or what an earlier operation waited for
        what, *causes = what.split(CAUSE)
        return replace(running, awaited=what, awaited_since=since, causes=tuple(causes))

    def left_running(self) -> list[str]:
        return [key.removeprefix("running/") for key in self.notes.list("running/")]

    def record_success(self, stack: str, success: Success) -> None:
        note = {**asdict(success), "at": success.at.isoformat()}
        self.notes.put(f"stacks/{stack}.json", json.dumps(note).encode())
        for topic in ("suspect", "interrupted", "drift"):
            self.notes.delete(f"{topic}/{stack}")
        self.notes.delete(f"undone/{stack}")
        self.notes.delete(f"failed/{stack}")

    def memo(self, key: str) -> dict[str, str]:
        """Return what a domain recorded under a key of its own, for its sweep."""
        raw = self.notes.get(f"{key}.json")
        kept = None if raw is None else _parse(f"{key}.json", raw)
        return {name: text for name, text in (kept or {}).items() if isinstance(text, str)}

    def extend_memo(self, key: str, more: Mapping[str, str]) -> None:
        """Add entries to a memo; nothing is written when it has them all."""
        kept = self.memo(key)
        if not more.items() <= kept.items():
            self.notes.put(f"{key}.json", json.dumps({**kept, **more}).encode())

    def keep_snapshot(self, domain: str, stack: str, snapshot: Mapping[str, str]) -> None:
        """What a domain compares the world with, as it was after the last success of the stack."""
        self.notes.put(f"snapshots/{domain}/{stack}.json", json.dumps(dict(snapshot)).encode())

    def snapshot(self, domain: str, stack: str) -> dict[str, str]:
        """Empty when there is none."""
        return self.memo(f"snapshots/{domain}/{stack}")

    def interrupted(self, stack: str) -> bool:
        """Whether the last operation on the stack was stopped before its end, and none succeeded after it."""
        return self.notes.get(f"interrupted/{stack}") is not None

    def interrupt(self, stack: str) -> None:
        self.notes.put(f"interrupted/{stack}", b"")

    def drift(self, stack: str) -> str:
        """What the last refresh found changed by hand, a line each; empty when it is as it was, or put right since."""
        return (self.notes.get(f"drift/{stack}") or b"").decode(errors="replace")

    def keep_drift(self, stack: str, lines: str) -> None:
        self.notes.put(f"drift/{stack}", lines.encode())

    def suspect(self, stack: str, reason: str) -> None:
        """Let the next `up` read the world of a stack before it takes it for unchanged."""
        self.notes.put(f"suspect/{stack}", reason.encode())

    def suspicion(self, stack: str) -> str:
        """Why the stack is suspect; empty when it is not."""
        return (self.notes.get(f"suspect/{stack}") or b"").decode(errors="replace")

    def record_duration(self, verb: str, stack: str, seconds: float) -> None:
        if seconds > 1:
            self.notes.put(f"usual/{verb}/{stack}", f"{seconds:.1f}".encode())

    def forget(self, stack: str) -> None:
        self.notes.delete(f"stacks/{stack}.json")

    def known_stacks(self) -> list[str]:
        return [key.removeprefix("stacks/").removesuffix(".json") for key in self.notes.list("stacks/")]

    def erase(self) -> None:
        """Delete all notes of the environment but its lock."""
        for key in self.notes.list(""):
            if not key.startswith("lock"):
                self.notes.delete(key)


def _parse(key: str, raw: bytes) -> dict[str, Any] | None:
    """Return the note's object; None when it is damaged."""
    try:
        note = json.loads(raw)
    except ValueError:
        return None
    return note if isinstance(note, dict) else None


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _has_fields_of(note: object, shape: type[Success | Failure | ErrorRecord]) -> TypeGuard[dict[str, Any]]:
    """Return whether a note has exactly the fields of a dataclass."""
    return isinstance(note, dict) and set(note) == {field.name for field in fields(shape)}
