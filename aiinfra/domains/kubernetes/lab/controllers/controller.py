"""What a controller of a simulated cluster is: the kinds that it watches, and what it would change now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aiinfra.domains.kubernetes.lab.controllers.effects import Again, Effect
from aiinfra.domains.kubernetes.lab.controllers.faults import Broken
from aiinfra.domains.kubernetes.lab.controllers.pod_life import Fate
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View


@dataclass(frozen=True, slots=True)
class Moment:
    """When controllers are asked, and what is broken then."""

    now: datetime
    """Time of day, UTC."""
    monotonic: float
    """Seconds of the monotonic clock."""
    faults: Broken = field(default_factory=Broken)


@dataclass(frozen=True, slots=True)
class Controller:
    """One controller of one cluster."""

    name: str
    watches: Mapping[str, str]
    """The kinds whose objects it looks at, with their API versions, built in (see `view.built_in`) or custom."""
    reconcile: Callable[[View, Moment], Iterator[Effect | Again]]
    """What it would do to the cluster that it sees. Talks to nobody; asks nobody for the time."""


Fates = Callable[[View, Moment], Callable[[Object], Fate]]
"""For one moment of a cluster, what becomes of each pod that the lab's kubelets have."""
