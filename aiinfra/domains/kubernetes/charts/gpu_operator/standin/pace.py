"""How long the GPU Operator and its operands take in a lab, and what nodes refuse meanwhile.

What takes minutes on real nodes takes a moment, so that a lab is quick. The fault `real-pace` stretches it: a driver
that is built in a quarter of an hour then takes `BUILD`, twice the patience of a wait in a lab (10 s for 300 s), and a
change is answered as late as after the election of a new leader. Measured with NVIDIA/gpu-operator v26.7.0: a new
leader after 16 s, the status written 19 s after the restart; no status says which spec it is of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import POLICY_KIND
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import policy
from aiinfra.domains.kubernetes.lab.controllers.controller import Moment
from aiinfra.domains.kubernetes.lab.controllers.effects import Again, Effect, Patch
from aiinfra.domains.kubernetes.lab.controllers.faults import REAL_PACE
from aiinfra.domains.kubernetes.lab.controllers.pod_life import READY
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View, uid

DRIVER_CONTAINER = "nvidia-driver-ctr"
BUILD, BUILD_AT_REAL_PACE = 0.5, 20.0
"""Seconds until the driver's container is ready."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How late an operator answers a change of its policy."""

    looks: float
    """Seconds until it looks at the new spec."""
    tells: float
    """Seconds from there until it writes the status, which it does after all else."""


QUICK, AT_REAL_PACE = Lag(0.3, 0.2), Lag(1.2, 0.6)


def ready_after(container: str, *, real_pace: bool, crashes: bool) -> float:
    """Return the seconds until a container of an operand is ready; a driver that cannot be built fails at once."""
    if container != DRIVER_CONTAINER:
        return READY
    return BUILD_AT_REAL_PACE if real_pace and not crashes else BUILD


def sandbox_refusal(pod: Object, view: View, *, toolkit: bool) -> str:
    """Return the refusal of a container runtime that `toolkit` has not configured for the pod's RuntimeClass yet."""
    found = view.find("RuntimeClass", str(pod["spec"].get("runtimeClassName") or ""))
    if found is None or toolkit:
        return ""
    wording = f'failed to get sandbox runtime: no runtime for "{found["handler"]}" is configured'
    return f"rpc error: code = Unknown desc = {wording}"


@dataclass(slots=True)
class Pace:
    """The operator's `reconcile` with its lag. The first spec of a policy has none: no status precedes its own."""

    reconcile_now: Callable[[View, Moment], Iterator[Effect]]
    _seen: dict[str, tuple[int, float]] = field(default_factory=dict)
    """By the uid of a policy, its last generation and when that was first seen; monotonic."""

    def reconcile(self, view: View, moment: Moment) -> Iterator[Effect | Again]:
        instance = policy.active_policy(view.of(POLICY_KIND))
        lag = AT_REAL_PACE if moment.faults.is_set(REAL_PACE) else QUICK
        changed_at = self._changed_at(instance, moment) if instance else None
        looks_at = moment.monotonic if changed_at is None else changed_at + lag.looks
        if moment.monotonic < looks_at:
            yield Again(looks_at)
            return
        tells_at = moment.monotonic if changed_at is None else looks_at + lag.tells
        for effect in self.reconcile_now(view, moment):
            if moment.monotonic < tells_at and _is_status(effect):
                yield Again(tells_at)
            else:
                yield effect

    def _changed_at(self, instance: Object, moment: Moment) -> float | None:
        """Return when the spec became what it is; None for the first that was seen."""
        generation = int(instance["metadata"].get("generation", 1))
        known = self._seen.get(uid(instance))
        if known is None:
            self._seen[uid(instance)] = (generation, float("-inf"))
        elif known[0] != generation:
            self._seen[uid(instance)] = (generation, moment.monotonic)
        since = self._seen[uid(instance)][1]
        return None if since == float("-inf") else since


def _is_status(effect: Effect) -> bool:
    return isinstance(effect, Patch) and effect.ref.kind == POLICY_KIND and effect.subresource == "status"
