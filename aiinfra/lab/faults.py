"""What can be broken in a lab, by name, and what is broken now (`faults.json` in the lab's folder).

The supervisor alone writes the file, whole; the lab's controllers watch it. `api-partition` is effected by the
supervisor, those of the vCenter by that, the others by the controllers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from aiinfra.errors import ConfigError
from aiinfra.lab.record import write_atomic

FILE: Final = "faults.json"
API_PARTITION: Final = "api-partition"
VCENTER_FAULTS: Final[Mapping[str, str]] = {
    "clone-fails-halfway": "a clone ends in an error when the VM is there already, half made",
    "profile-missing": "hosts offer no vGPU profile",
    "reboot-pending": "cards are enabled for passthrough and not active before a reboot of their host",
    "task-hangs": "tasks on VMs do not end",
    "vcenter-host-full": "the cards of hosts are all in use",
    "vcenter-session-expired": "the vCenter forgets each session once",
    "vib-mismatch": "the hosts' vGPU manager is of a branch that fits no guest driver",
}
"""Those of the lab's vCenter; a place is the name of a host there."""
CLUSTER_FAULTS: Final[Mapping[str, str]] = {
    API_PARTITION: "clients cannot reach the API server: open connections are reset, new ones refused",
    "crd-late": "custom resource definitions that a chart brings are not made; a release that lacks one fails in 20 s",
    "driver-kernel-mismatch": "there is no driver image for the kernel of the nodes",
    "image-pull": "images of the operators cannot be pulled",
    "webhook-down": "an admission webhook is registered and nothing answers it",
}
"""Those of clusters and what runs in them."""
FAULTS: Final[Mapping[str, str]] = dict(sorted({**CLUSTER_FAULTS, **VCENTER_FAULTS}.items()))
"""Every fault with what a user of the cluster sees of it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is broken now."""

    name: str
    place: str
    """A cluster or a stack; empty means everywhere."""
    since: str
    """ISO 8601, UTC."""


def check_name(name: str) -> str:
    """The name itself. Raises `ConfigError` `lab.unknown_fault`."""
    if name in FAULTS:
        return name
    near = get_close_matches(name, FAULTS, n=1)
    raise ConfigError(
        f"no fault is named {name!r}",
        code="lab.unknown_fault",
        where="fault",
        hint=f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(FAULTS)}",
    )


def unknown_place(place: str, clusters: Iterable[str]) -> ConfigError:
    return ConfigError(
        f"the lab has no cluster {place!r} to cut off",
        code="lab.unknown_place",
        where="fault",
        hint=f"it has: {', '.join(sorted(clusters)) or 'none'}",
    )


def read(folder: Path) -> Sequence[Fault]:
    """What is broken now; nothing when the file is absent."""
    try:
        raw = json.loads((folder / FILE).read_text())
    except FileNotFoundError:
        return ()
    return tuple(Fault(**fault) for fault in raw["faults"])


def write(folder: Path, faults: Iterable[Fault]) -> None:
    write_atomic(folder / FILE, json.dumps({"faults": [asdict(fault) for fault in faults]}, indent=1))


def with_fault(faults: Sequence[Fault], name: str, place: str, now: datetime) -> Sequence[Fault]:
    """The same fault at the same place is set once, since the first time."""
    if any((fault.name, fault.place) == (name, place) for fault in faults):
        return faults
    return (*faults, Fault(check_name(name), place, now.isoformat()))


def without_fault(faults: Sequence[Fault], name: str, place: str) -> Sequence[Fault]:
    """Lifted at one place, or everywhere when `place` is empty."""
    return tuple(fault for fault in faults if fault.name != check_name(name) or place not in ("", fault.place))


def partitioned(faults: Iterable[Fault], clusters: Iterable[str]) -> frozenset[str]:
    """Clusters whose API server clients cannot reach."""
    places = {fault.place for fault in faults if fault.name == API_PARTITION}
    return frozenset(name for name in clusters if name in places or "" in places)
