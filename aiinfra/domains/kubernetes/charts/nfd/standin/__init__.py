"""What Node Feature Discovery does in a simulated cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiinfra.domains.kubernetes.charts.nfd.standin.controller import API, KIND, SELECTOR, reconcile
from aiinfra.domains.kubernetes.lab.controllers.controller import Controller, Moment
from aiinfra.domains.kubernetes.lab.controllers.pod_life import Fate
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View, built_in, has_labels, labels


def controllers() -> Sequence[Controller]:
    return (Controller("nfd", {**built_in("Node", "Pod", "ConfigMap"), KIND: API}, reconcile),)


def fates(view: View, moment: Moment) -> Callable[[Object], Fate]:
    """Return the fate of each pod: master and workers crash while their API is not served."""

    def fate_of(pod: Object) -> Fate:
        needs = has_labels(pod, SELECTOR) and labels(pod).get("role") in ("master", "worker")
        return Fate.without_api(pod, KIND, API) if needs and not view.serves(KIND) else Fate()

    return fate_of
