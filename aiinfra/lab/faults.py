"""What is broken now in a lab: `faults.json` in its folder.

The supervisor alone writes the file, whole; what simulates the world watches it or is called. The domains declare
which faults there are, see `aiinfra.domain_lab.FaultType`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from aiinfra.domain_lab import FaultType, SetFault
from aiinfra.errors import ConfigError
from aiinfra.lab.record import write_atomic

FILE: Final = "faults.json"


def fault_type(name: str) -> FaultType:
    """Return the declaration of a fault. Raises `ConfigError` `lab.unknown_fault`."""
    from aiinfra.lab.domains import fault_types

    known = fault_types()
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    raise ConfigError(
        f"no fault is named {name!r}",
        code="lab.unknown_fault",
        where="fault",
        hint=f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}",
    )


def read(folder: Path) -> Sequence[SetFault]:
    """Return the faults that are set; none when the file is absent."""
    try:
        raw = json.loads((folder / FILE).read_text())
    except FileNotFoundError:
        return ()
    return tuple(SetFault(**fault) for fault in raw["faults"])


def write(folder: Path, faults: Iterable[SetFault]) -> None:
    write_atomic(folder / FILE, json.dumps({"faults": [asdict(fault) for fault in faults]}, indent=1))


def with_fault(faults: Sequence[SetFault], name: str, place: str, now: datetime) -> Sequence[SetFault]:
    """Return the faults with one more; the same fault at the same place stays as it was first set."""
    if any((fault.name, fault.place) == (name, place) for fault in faults):
        return faults
    return (*faults, SetFault(name, place, now.isoformat()))


def without_fault(faults: Sequence[SetFault], name: str, place: str) -> Sequence[SetFault]:
    """Return the faults without one, at one place, or everywhere when `place` is empty."""
    return tuple(fault for fault in faults if fault.name != name or place not in ("", fault.place))
