"""What the lab gives where the file says how to reach the outside: kubeconfigs, and its vCenter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from aiinfra.domains.vsphere.block import FIELD, VCenterSpec
from aiinfra.engine.wire import Secret, Tree
from aiinfra.plan.planner import Plan
from aiinfra.session.place import Place
from aiinfra.session.vcenters import in_vcenters
from aiinfra.stack import SecretSource, StackName

KUBECONFIG: Final = "lab kubeconfig of "
VCENTER: Final = "lab vcenter "
_LATE: Final = ("host", "user", "password", "fingerprint")
"""Fields of a vCenter that are not known before the lab runs; so is its port, which no reference can stand for."""


def with_lab_access(plan: Plan, place: Place) -> Plan:
    """The plan with the lab's clusters and vCenter where stacks ask for existing ones."""
    steps = dict(plan.steps)
    for name in map(StackName, place.kubeconfigs):
        late = SecretSource("file", KUBECONFIG + name)
        steps[name] = replace(steps[name], inputs=steps[name].inputs.model_copy(update={"kubeconfig": late}))
    for step in in_vcenters(plan.steps.values()) if place.vcenter else ():
        inputs = step.inputs.model_copy(update={FIELD: _vcenter(place)})
        steps[step.name] = replace(steps[step.name], inputs=inputs)
    return replace(plan, steps=steps)


def _vcenter(place: Place) -> VCenterSpec:
    late: dict[str, Any] = {name: SecretSource("file", VCENTER + name) for name in _LATE}
    port = place.vcenter.get("port")
    return VCenterSpec.model_construct(None, **late, port=port if isinstance(port, int) else 443)


def opener(place: Place, secrets: Mapping[SecretSource, str]) -> Callable[[SecretSource], Tree]:
    """Opens what the lab gives, and what was read of the machine."""

    def open_secret(source: SecretSource) -> Tree:
        if source.name.startswith(KUBECONFIG):
            return place.kubeconfigs[source.name.removeprefix(KUBECONFIG)]
        if source.name.startswith(VCENTER):
            return place.vcenter[source.name.removeprefix(VCENTER)]
        return Secret(secrets[source])

    return open_secret
