"""Replace the connections of a plan by the access that the lab gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from aiinfra.engine.wire import Secret, Tree
from aiinfra.plan.planner import Plan
from aiinfra.session.place.place import Place
from aiinfra.stack import SecretSource


def with_lab_access(plan: Plan, place: Place) -> Plan:
    """Return the plan with the place's connection inputs; on a real target it is returned as it is."""
    steps = dict(plan.steps)
    for name, inputs in place.connection.inputs.items():
        steps[name] = replace(steps[name], inputs=steps[name].inputs.model_copy(update=dict(inputs)))
    return replace(plan, steps=steps)


def opener(place: Place, secrets: Mapping[SecretSource, str]) -> Callable[[SecretSource], Tree]:
    """Return a function that opens the secrets that the lab gives and those that were read."""

    def open_secret(source: SecretSource) -> Tree:
        if source in place.connection.secrets:
            return place.connection.secrets[source]
        return Secret(secrets[source])

    return open_secret
