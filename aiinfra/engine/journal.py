"""What we remember of an environment between runs, as typed notes: its id, and each stack's last success.

The rule that keeps `unchanged` honest: a stack's success note is deleted before an operation on it starts and written
last, after it succeeded. A `running` note stands while an operation runs; one found at a start means that a run died
there, and the stack's state is repaired first.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, TypeGuard

from aiinfra.engine.notes import Notes
from aiinfra.errors import ErrorRecord, OutsideError
from aiinfra.report.run import Failure
from aiinfra.stack import MARK_ID

_ID = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Success:
    """A stack's last success."""

    digest: str
    """Over its inputs; see `digest.py`."""
    result: str
    """Over the digest and the outputs: what stands for this stack in the digests of those that refer to it."""
    at: datetime
    seconds: float
    """How long it took; shown as the usual time of the next wait."""
    kind: str
    uid: str = ""
    """The identity of what the stack gives access to, when it exports one."""
    proved_at: str = ""
    """ISO 8601, UTC, when the stack is a proof."""
    simulated: bool = False
    """True when the proof's run was simulated."""
    needs: tuple[str, ...] = ()
    """The stacks it depended on: destroy needs this when the file no longer has the stack."""
    change: str = ""
    """A fresh word for each run that changed anything of it, or was not seen to change nothing."""
    proved_under: Mapping[str, str] = field(default_factory=dict)
    """By each stack that a proof stands on, its `change` when the proof ran."""
    proved_on: Mapping[str, Any] = field(default_factory=dict)
    """What the world was when the stack, a proof, ran; its domain knows what that means."""


@dataclass(frozen=True, slots=True)
class Journal:
    notes: Notes

    def environment_id(self) -> str | None:
        """Raises `OutsideError` when the note is damaged: without it nobody knows which objects are ours."""
        raw = self.notes.get("environment.json")
        if raw is None:
            return None
        told = _parse("environment.json", raw)
        if told is None or not _ID.fullmatch(str(told.get("id"))):
            raise OutsideError(
                "the note environment.json beside the state, which holds the environment's id, is damaged",
                code="state.note_unreadable",
                where="environment.json",
                hint=f'write {{"id": ID}} to it; ID is the label {MARK_ID} of any object that the environment made',
            )
        return str(told["id"])

    def make_environment_id(self, name: str, now: datetime) -> str:
        """The environment's id, made once. Raises nothing when another run made it first: that one counts."""
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
        """What the last run that opened the state's secrets left; empty when none did."""
        return (self.notes.get("seal") or b"").decode(errors="replace")

    def keep_seal(self, seal: str) -> None:
        self.notes.put("seal", seal.encode())

    def success(self, stack: str) -> Success | None:
        """None also when what is remembered is damaged, or of another version: the world is asked anew."""
        raw = self.notes.get(f"stacks/{stack}.json")
        if raw is None:
            return None
        told = _parse(f"stacks/{stack}.json", raw)
        if not _shaped(told, Success):
            return None
        told |= {"at": datetime.fromisoformat(told["at"]), "needs": tuple(told["needs"])}
        return Success(**told)

    def usual(self, verb: str, stack: str) -> float | None:
        """Seconds that `verb` of the stack took the last time it took any."""
        raw = self.notes.get(f"usual/{verb}/{stack}")
        try:
            return None if raw is None else float(raw)
        except ValueError:
            return None

    def begin(self, stack: str, verb: str) -> None:
        """To be called before an operation starts."""
        self.notes.put(f"running/{stack}", verb.encode())
        if verb == "destroy":
            self.notes.put(f"undone/{stack}", b"")
        self.forget(stack)

    def half_destroyed(self, stack: str) -> bool:
        """Whether a destroy of the stack was begun and neither it nor an `up` after it succeeded."""
        return self.notes.get(f"undone/{stack}") is not None

    def destroyed(self, stack: str) -> None:
        """To be called when nothing of the stack is left in its state."""
        self.forget(stack)
        self.notes.delete(f"undone/{stack}")
        self.notes.delete(f"failed/{stack}")

    def failed(self, stack: str, failure: Failure) -> None:
        told = {**asdict(failure), "at": failure.at.isoformat()}
        self.notes.put(f"failed/{stack}", json.dumps(told).encode())

    def failure(self, stack: str) -> Failure | None:
        """None also when what is remembered is damaged, or of another version."""
        raw = self.notes.get(f"failed/{stack}")
        told = None if raw is None else _parse(f"failed/{stack}", raw)
        if not _shaped(told, Failure) or not _shaped(told["error"], ErrorRecord):
            return None
        told |= {"at": datetime.fromisoformat(told["at"]), "error": ErrorRecord(**told["error"])}
        return Failure(**{**told, "causes": tuple(told["causes"])})

    def end(self, stack: str) -> None:
        """To be called when the operation returned, however it ended."""
        self.notes.delete(f"running/{stack}")

    def left_running(self) -> list[str]:
        return [key.removeprefix("running/") for key in self.notes.list("running/")]

    def succeed(self, stack: str, success: Success) -> None:
        told = {**asdict(success), "at": success.at.isoformat()}
        self.notes.put(f"stacks/{stack}.json", json.dumps(told).encode())
        self.notes.delete(f"undone/{stack}")
        self.notes.delete(f"failed/{stack}")

    def memo(self, key: str) -> dict[str, str]:
        """What a domain noted under a key of its own, to be used by its sweep."""
        raw = self.notes.get(f"{key}.json")
        kept = None if raw is None else _parse(f"{key}.json", raw)
        return {name: text for name, text in (kept or {}).items() if isinstance(text, str)}

    def extend_memo(self, key: str, more: Mapping[str, str]) -> None:
        """Add to a memo; nothing is written when it has all of it."""
        kept = self.memo(key)
        if not more.items() <= kept.items():
            self.notes.put(f"{key}.json", json.dumps({**kept, **more}).encode())

    def took(self, verb: str, stack: str, seconds: float) -> None:
        if seconds > 1:
            self.notes.put(f"usual/{verb}/{stack}", f"{seconds:.1f}".encode())

    def forget(self, stack: str) -> None:
        self.notes.delete(f"stacks/{stack}.json")

    def known_stacks(self) -> list[str]:
        return [key.removeprefix("stacks/").removesuffix(".json") for key in self.notes.list("stacks/")]

    def erase(self) -> None:
        """Forget the environment: nothing of it is left."""
        for key in self.notes.list(""):
            if not key.startswith("lock"):
                self.notes.delete(key)


def _parse(key: str, raw: bytes) -> dict[str, Any] | None:
    """None when it is damaged."""
    try:
        told = json.loads(raw)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _shaped(told: object, shape: type[Success | Failure | ErrorRecord]) -> TypeGuard[dict[str, Any]]:
    """Whether a note has exactly the fields of a dataclass."""
    return isinstance(told, dict) and set(told) == {field.name for field in fields(shape)}
