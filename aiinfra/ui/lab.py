"""A lab as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from aiinfra.ui.durations import age
from aiinfra.ui.tables import table


def live_lab_text(name: str, folder: str, status: Mapping[str, Any], now: datetime) -> str:
    """A lab that runs; `status` is the supervisor's answer."""
    since = _ago(status["since"], now)
    head = f"lab of {name}: runs, started {since}, {len(status['processes'])} processes, in {folder}"
    clusters = [("CLUSTER", "VERSION", "SERVER", "UID")]
    clusters += [(key, c["version"], c["server"], c["uid"]) for key, c in status["clusters"].items()]
    return "\n".join([head, table(clusters, indent=2), *_troubles(status, now)])


def _troubles(status: Mapping[str, Any], now: datetime) -> Iterator[str]:
    for fault in status["faults"]:
        place = f"at {fault['place']}" if fault["place"] else "everywhere"
        yield f"fault {fault['name']} {place}, set {_ago(fault['since'], now)}"
    yield from status["ended"]


def labs_text(labs: Sequence[tuple[Path, str, str, Sequence[str]]], now: datetime) -> str:
    """All labs: folder, since when it runs (empty: it is dead), why it is dead, clusters."""
    if not labs:
        return "there is no lab on this machine"
    rows = [("LAB", "STATE", "CLUSTERS", "FOLDER")]
    for folder, since, death, clusters in labs:
        state = f"runs, started {_ago(since, now)}" if since else f"dead, as {death}"
        rows.append((folder.name.rpartition("-")[0], state, ", ".join(clusters) or "none", str(folder)))
    return table(rows)


def lab_json(folder: Path, since: str, death: str, clusters: Sequence[str]) -> Mapping[str, object]:
    """One of them, as JSON."""
    why = "" if since else death
    return {"folder": str(folder), "alive": bool(since), "since": since, "why": why, "clusters": list(clusters)}


def no_lab_text(name: str) -> str:
    return f"{name} has no lab on this machine"


def dead_lab_text(name: str, folder: str, death: str) -> str:
    return f"lab of {name}: dead, as {death}; the next aiinfra up discards it, with its state in {folder}"


def faults_text(faults: Mapping[str, str]) -> str:
    rows: Sequence[tuple[str, str]] = [("FAULT", "WHAT IT DOES"), *faults.items()]
    return table(rows)


def _ago(since: str, now: datetime) -> str:
    return age((now - datetime.fromisoformat(since)).total_seconds())
