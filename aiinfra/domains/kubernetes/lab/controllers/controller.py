"""What a controller of a simulated cluster is: the kinds that it watches, and what it would change now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import datetime

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.lab.controllers.effects import Again, Effect
from aiinfra.domains.kubernetes.lab.controllers.faults import PodFaults
from aiinfra.domains.kubernetes.lab.controllers.pod_life import Fate
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View


@dataclass(frozen=True, slots=True)
class Moment:
    """When controllers are asked, and the faults that are set then."""

    now: datetime
    """Time of day, UTC."""
    monotonic: float
    """Seconds of the monotonic clock."""
    faults: PodFaults = field(default_factory=PodFaults)


@dataclass(frozen=True, slots=True)
class Controller:
    """One controller of one cluster."""

    name: str
    watches: Mapping[str, str]
    """The kinds whose objects it looks at, with their API versions, built in (see `view.built_in`) or custom."""
    reconcile: Callable[[View, Moment], Iterator[Effect | Again]]
    """Yields what it would do to the cluster that it sees. It sends no request and reads no clock."""
    stand_in: bool = False
    """True when it does what a real operator does, and rests where one runs."""


Fates = Callable[[View, Moment], Callable[[Object], Fate]]
"""For one moment of a cluster, what becomes of each pod that the lab's kubelets have."""
