"""A lab as people and machines read it. Takes plain values: a view knows no lab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aiinfra.ui.durations import age
from aiinfra.ui.tables import table


def lab_text(status: Mapping[str, Any], now: datetime) -> str:
    """Where it lies, its clusters, its processes, what is broken in it."""
    if not status["folder_exists"]:
        return f"{status['environment']} has no lab: `aiinfra up {status['environment']}` starts one"
    since = age((now - datetime.fromisoformat(status["since"])).total_seconds())
    state = f"runs, started {since}" if status["alive"] else "is dead; the next run discards it"
    lines = [f"lab of {status['environment']} {state} · {status['folder']}"]
    clusters = [(name, cluster["version"], cluster["server"]) for name, cluster in status["clusters"].items()]
    processes = [(process["name"], f"pid {process['pid']}") for process in status["processes"]]
    faults = [(fault["name"], fault["place"] or "everywhere") for fault in status["faults"]]
    for title, rows in (("clusters", clusters), ("processes", processes), ("faults", faults)):
        lines += _block(title, rows)
    return "\n".join(lines)


def _block(title: str, rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [title, table(rows, indent=2)] if rows else [f"{title}: none"]
