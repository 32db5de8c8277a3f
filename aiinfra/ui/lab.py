"""A lab as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.ui.durations import age
from aiinfra.ui.tables import table

Records = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""By what a part is called (`cluster`), the parts by name, and what is recorded of each."""


def live_lab_text(name: str, folder: str, status: Mapping[str, Any], parts: Records, now: datetime) -> str:
    """A lab that runs; `status` is the supervisor's answer."""
    since = _ago(status["since"], now)
    head = f"lab of {name}: runs, started {since}, {len(status['processes'])} processes, in {folder}"
    tables = [_parts_table(part, records) for part, records in parts.items() if records]
    return "\n".join([head, *tables, *_troubles(status, now)])


def _parts_table(part: str, records: Mapping[str, Mapping[str, Any]]) -> str:
    keys = dict.fromkeys(key for record in records.values() for key in record)
    head = tuple(word.upper() for word in (part, *keys))
    return table([head, *((name, *(str(r.get(key, "")) for key in keys)) for name, r in records.items())], indent=2)


def _troubles(status: Mapping[str, Any], now: datetime) -> Iterator[str]:
    for fault in status["faults"]:
        place = f"at {fault['place']}" if fault["place"] else "everywhere"
        yield f"fault {fault['name']} {place}, set {_ago(fault['since'], now)}"
    yield from status["ended"]


@dataclass(frozen=True, slots=True)
class LabRow:
    """One lab of the list of all."""

    folder: Path
    since: str
    """Empty: it is dead."""
    death: str
    """Why it is dead, if it is."""
    parts: Mapping[str, Sequence[str]]
    """Names of its parts, by the key below `lab:` that describes them."""


def labs_text(labs: Sequence[LabRow], now: datetime) -> str:
    """All labs, with a column for each sort of parts that one of them has."""
    if not labs:
        return "there is no lab on this machine"
    keys = dict.fromkeys(key for lab in labs for key in lab.parts)
    rows = [("LAB", "STATE", *(key.upper() for key in keys), "FOLDER")]
    for lab in labs:
        state = f"runs, started {_ago(lab.since, now)}" if lab.since else f"dead, as {lab.death}"
        names = (", ".join(lab.parts.get(key, ())) or "none" for key in keys)
        rows.append((lab.folder.name.rpartition("-")[0], state, *names, str(lab.folder)))
    return table(rows)


def lab_json(lab: LabRow) -> Mapping[str, object]:
    """One of them, as JSON."""
    why = "" if lab.since else lab.death
    parts = {key: list(names) for key, names in lab.parts.items()}
    return {"folder": str(lab.folder), "alive": bool(lab.since), "since": lab.since, "why": why, **parts}


def no_lab_text(name: str) -> str:
    return f"{name} has no lab on this machine"


def dead_lab_text(name: str, folder: str, death: str) -> str:
    return f"lab of {name}: dead, as {death}; aiinfra up {name} discards it, with its state in {folder}"


def faults_text(faults: Mapping[str, str]) -> str:
    rows: Sequence[tuple[str, str]] = [("FAULT", "WHAT IT DOES"), *faults.items()]
    return table(rows)


def _ago(since: str, now: datetime) -> str:
    return age((now - datetime.fromisoformat(since)).total_seconds())
