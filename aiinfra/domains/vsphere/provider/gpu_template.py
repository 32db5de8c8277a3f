"""`aiinfra:vsphere:GpuTemplate`: one VM template with GPUs.

A change of what is wanted makes a new template beside the old one. What the world shows otherwise than it should is a
difference of `settings`, and an update mends it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiinfra.domains.kubernetes.provider.settings import Kind, check, value
from aiinfra.domains.vsphere.provider.vcenters import VCenters, access_of, sealed
from aiinfra.domains.vsphere.template.desired import Owner, spec_of
from aiinfra.domains.vsphere.template.request import Request, request_of
from aiinfra.engine.wire import UNKNOWN, Secret
from aiinfra.errors import StepError
from aiinfra.providers.border import ended_by
from aiinfra.providers.compare import changed_paths
from aiinfra.providers.contract import Call, CheckFailure, Diff, Made, PartlyMade, Properties
from aiinfra.providers.marshal import known

SHAPE: Final[Mapping[str, Kind]] = {
    "connection": dict,
    "owner": dict,
    "wanted": dict,
    "verify": str,
    "limit_seconds": (int, float),
}
TOLD: Final = ("name", "path", "moref", "vcenter_uuid", "gpu_model", "gpu_memory_mib", "gpu_count", "profile")
OUTPUTS: Final = (*TOLD, "spec", "settings", "explained", "verified", "drift")


@dataclass(frozen=True, slots=True)
class GpuTemplate:
    vcenters: VCenters
    _replaced: dict[str, str] = field(default_factory=dict)
    """Morefs of the templates that are about to be replaced, by URN: a diff comes before the create of a new one."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, call: Call, inputs: Properties) -> tuple[Properties, Sequence[CheckFailure]]:
        checked, failures = check(inputs, SHAPE)
        return {**checked, "connection": sealed(checked.get("connection"))}, failures

    def diff(self, call: Call, id: str, olds: Properties, old_inputs: Properties, news: Properties) -> Diff:
        with self._lock:
            self._replaced[call.urn] = str(value(olds, "moref"))
        changed = changed_paths(_compared(old_inputs), _compared(news))
        replace = [path for path in changed if path.split(".")[0] == "wanted"]
        lacking = [] if replace else [*_drift(olds), *_unproved(olds, news)]
        return Diff([*changed, *lacking], replace)

    def create(self, call: Call, inputs: Properties) -> Made:
        if call.preview or not known(inputs):
            return Made("", {**inputs, **dict.fromkeys(OUTPUTS, UNKNOWN)})
        from aiinfra.domains.vsphere.provider.gpu_template_work import Unproved, make_template

        with self._lock:
            kept = {self._replaced.pop(call.urn, "")}
        vcenter = self.vcenters.of(call, access_of(value(inputs, "connection")))
        try:
            told = make_template(vcenter, _request(inputs), _flags(inputs), kept)
        except Unproved as error:
            made = Made(str(error.told["name"]), {**inputs, **error.told})
            raise PartlyMade(made, [ended_by(error.cause)]) from error.cause
        return Made(str(told["name"]), {**inputs, **told})

    def read(self, call: Call, id: str, inputs: Properties, state: Properties) -> Made | None:
        from aiinfra.domains.vsphere.provider.gpu_template_work import read_template

        vcenter = self._recorded(call, inputs, state)
        owner = Owner(**value(state, "owner"))
        seen = read_template(vcenter, value(state, "moref"), spec_of(value(state, "spec")), owner)
        return None if seen is None else Made(id, {**state, **seen}, inputs)

    def update(self, call: Call, id: str, olds: Properties, news: Properties) -> Made:
        if call.preview:
            return Made(id, {**olds, **news})
        from aiinfra.domains.vsphere.provider.gpu_template_work import Unproved, mend_template

        vcenter = self._recorded(call, news, olds)
        spec = spec_of(value(olds, "spec"))
        try:
            told = mend_template(vcenter, _request(news), _flags(news), spec, value(olds, "moref"))
        except Unproved as error:
            raise PartlyMade(Made(id, {**olds, **news, **error.told}), [ended_by(error.cause)]) from error.cause
        verified = {"verified": told.pop("verified") or olds.get("verified")}
        return Made(id, {**olds, **news, **told, **verified})

    def delete(self, call: Call, id: str, state: Properties) -> None:
        from aiinfra.domains.vsphere.provider.gpu_template_work import delete_template

        vcenter, spec = self._recorded(call, state, state), spec_of(value(state, "spec"))
        limit = float(value(state, "limit_seconds"))
        delete_template(vcenter, _request(state).owner, spec, value(state, "moref"), limit)

    def _recorded(self, call: Call, inputs: Properties, state: Properties) -> Any:
        return self.vcenters.identified(
            call, access_of(value(inputs, "connection")), str(value(state, "vcenter_uuid") or "")
        )


def _compared(inputs: Properties) -> Mapping[str, Any]:
    """What makes a difference; the account that is used, where an image lies, and how long one waits, do not."""
    connection = inputs.get("connection")
    host = connection.value if isinstance(connection, Secret) else connection
    named = host.get("host") if isinstance(host, Mapping) else None
    parts = {key: inputs.get(key) for key in ("owner", "wanted", "verify", "manage_hosts")}
    wanted = parts["wanted"]
    source = wanted.get("source") if isinstance(wanted, Mapping) else None
    if isinstance(source, Mapping) and isinstance(wanted, Mapping):
        parts["wanted"] = {**wanted, "source": {"sha256": source.get("sha256"), "network": source.get("network")}}
    return {**parts, "connection": {"host": named}}


def _drift(olds: Properties) -> list[str]:
    """What the last reading showed otherwise than it should be."""
    return ["drift"] if olds.get("drift") else []


def _unproved(olds: Properties, news: Properties) -> list[str]:
    """A proof that is asked for and was not passed: a refresh forgets that a create ended in an error."""
    return ["verified"] if _flags(news).power_on and not value(olds, "verified") else []


def _request(inputs: Properties) -> Request:
    """Raises `StepError` for a name that vCenter would refuse."""
    flags = _flags(inputs)
    request = request_of(
        value(inputs, "owner"),
        value(inputs, "wanted"),
        manage_hosts=flags.manage_hosts,
        power_on=flags.power_on,
    )
    name = f"{request.owner.environment}-{request.owner.stack}-{'0' * 8}"
    if len(name) > 80:
        message = f"the template's name {name} would have {len(name)} characters, vCenter takes 80"
        raise StepError(message, code="vsphere.name", hint="use a shorter name for the environment or the stack")
    return request


@dataclass(frozen=True, slots=True)
class Flags:
    """How it is made, apart from what it is."""

    power_on: bool
    manage_hosts: bool
    wait_for_host_mig: bool
    limit: float
    """Seconds."""


def _flags(inputs: Properties) -> Flags:
    return Flags(
        power_on=value(inputs, "verify") == "power_on",
        manage_hosts=bool(value(inputs, "manage_hosts")),
        wait_for_host_mig=bool(value(inputs, "wait_for_host_mig")),
        limit=float(value(inputs, "limit_seconds")),
    )
