"""`aiinfra:vsphere:GpuTemplate`: one VM template with GPUs.

A change of what a template is makes a new one beside the old. What was changed by hand in the world is a difference of
`settings`, which an update corrects.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.client.access import access_of
from aiinfra.domains.vsphere.inventory_paths import NAME_LIMIT
from aiinfra.domains.vsphere.marks import Owner, template_name
from aiinfra.domains.vsphere.provider.vcenters import VCenters, with_secret_password
from aiinfra.domains.vsphere.spec import PROCEDURE, GpuTemplateSpec
from aiinfra.domains.vsphere.template.content import TemplateContent, Value, content_of, tree_of
from aiinfra.engine.wire import UNKNOWN, Secret, Tree, Unknown, holds_unknown, reveal
from aiinfra.errors import StepError
from aiinfra.providers.border import failure_reason
from aiinfra.providers.compare import changed_paths
from aiinfra.providers.contract import Call, CheckFailure, Diff, Made, PartlyMade, Properties

if TYPE_CHECKING:
    from aiinfra.domains.vsphere.client.session import VCenter
    from aiinfra.domains.vsphere.template.lifecycle import InspectedTemplate, MendedTemplate, NewTemplate

COMPARED_PROCEDURE: Final = frozenset({"verify", "manage_hosts"})
"""Fields of how a template is made that an update repeats when they change."""
OUTPUTS: Final = (
    *("name", "path", "moref", "vcenter_uuid", "gpu_model", "gpu_memory_mib", "gpu_count", "profile"),
    *("content", "settings", "explained", "verified", "drift"),
)


@dataclass(frozen=True, slots=True)
class GpuTemplate:
    vcenters: VCenters
    _replaced: dict[str, str] = field(default_factory=dict)
    """Morefs of the templates that are about to be replaced, by URN: a diff comes before the create of a new one."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, call: Call, inputs: Properties) -> tuple[Properties, Sequence[CheckFailure]]:
        checked = {**inputs, "connection": with_secret_password(inputs.get("connection"))}
        missing = [CheckFailure(key, "is required") for key in ("connection", "owner") if inputs.get(key) is None]
        return checked, [*missing, *_spec_failures(inputs.get("spec"))]

    def diff(self, call: Call, id: str, olds: Properties, old_inputs: Properties, news: Properties) -> Diff:
        with self._lock:
            self._replaced[call.urn] = str(_plain(olds, "moref"))
        changed = changed_paths(_compared(old_inputs), _compared(news))
        replace = [path for path in changed if _needs_another_template(path)]
        lacking = [] if replace else [*_drift(olds), *_unproved(olds, news)]
        return Diff([*changed, *lacking], replace)

    def create(self, call: Call, inputs: Properties) -> Made:
        if call.preview or holds_unknown(inputs):
            return Made("", {**inputs, **dict.fromkeys(OUTPUTS, UNKNOWN)})
        from aiinfra.domains.vsphere.template.lifecycle import Unproved, make_template

        owner, spec = _named_owner(inputs), _spec(inputs)
        with self._lock:
            kept = {self._replaced.pop(call.urn, "")}
        vcenter = self.vcenters.of(call, access_of(_plain(inputs, "connection")))
        try:
            made = make_template(vcenter, owner, spec, kept)
        except Unproved as error:
            partly = {**inputs, **_outputs(error.template)}
            raise PartlyMade(Made(str(partly["name"]), partly), [failure_reason(error.cause)]) from error.cause
        return Made(made.existing.name, {**inputs, **_outputs(made)})

    def read(self, call: Call, id: str, inputs: Properties, state: Properties) -> Made | None:
        from aiinfra.domains.vsphere.template.lifecycle import read_template

        vcenter = self._recorded(call, inputs, state)
        found = read_template(vcenter, _plain(state, "moref"), _content(state), _owner(state))
        return None if found is None else Made(id, {**state, **_inspected(found)}, inputs)

    def update(self, call: Call, id: str, olds: Properties, news: Properties) -> Made:
        if call.preview:
            return Made(id, {**olds, **news})
        from aiinfra.domains.vsphere.template.lifecycle import Unproved, mend_template

        vcenter, moref = self._recorded(call, news, olds), _plain(olds, "moref")
        try:
            mended = mend_template(vcenter, _named_owner(news), _spec(news), _content(olds), moref)
        except Unproved as error:
            partly = {**olds, **news, **_outputs(error.template)}
            raise PartlyMade(Made(id, partly), [failure_reason(error.cause)]) from error.cause
        verified = mended.verified or olds.get("verified")
        return Made(id, {**olds, **news, **_outputs(mended), "verified": verified})

    def delete(self, call: Call, id: str, state: Properties) -> None:
        from aiinfra.domains.vsphere.template.lifecycle import delete_template

        vcenter, limit = self._recorded(call, state, state), _spec(state).limit_seconds
        delete_template(vcenter, _owner(state), _content(state), _plain(state, "moref"), limit)

    def _recorded(self, call: Call, inputs: Properties, state: Properties) -> VCenter:
        """Return a session at the recorded vCenter. Raises `StepError` when another one answers."""
        access = access_of(_plain(inputs, "connection"))
        return self.vcenters.identified(call, access, str(_plain(state, "vcenter_uuid") or ""))


def _plain(properties: Properties, key: str) -> Any:
    """Return the value of a property, its secrets opened. Raises `ValueError` when a part of it is unknown."""
    return reveal(properties.get(key))


def _spec(properties: Properties) -> GpuTemplateSpec:
    return GpuTemplateSpec.load(_plain(properties, "spec"))


def _owner(properties: Properties) -> Owner:
    return Owner(**_plain(properties, "owner"))


def _content(properties: Properties) -> TemplateContent:
    return content_of(_plain(properties, "content"))


def _named_owner(properties: Properties) -> Owner:
    """Return the owner. Raises `StepError` when vCenter would refuse the length of the template's name."""
    owner = _owner(properties)
    name = template_name(owner.environment, owner.stack)
    if len(name) > NAME_LIMIT:
        message = f"the template's name {name} would have {len(name)} characters, vCenter takes {NAME_LIMIT}"
        raise StepError(message, code="vsphere.name", hint="use a shorter name for the environment or the stack")
    return owner


def _spec_failures(spec: Tree) -> Iterator[CheckFailure]:
    """Yield what keeps a tree from being a spec; nothing while it is unknown."""
    if isinstance(spec, Unknown):
        return
    if spec is None:
        yield CheckFailure("spec", "is required")
        return
    try:
        GpuTemplateSpec.load(reveal(spec))
    except ValidationError as error:
        for one in error.errors(include_url=False):
            yield CheckFailure(".".join(("spec", *map(str, one["loc"]))), one["msg"])


def _compared(inputs: Properties) -> Mapping[str, Tree]:
    """Return the inputs that are compared.

    Not compared are the account, the path of an image on this machine, and time limits.
    """
    connection = inputs.get("connection")
    fields = connection.value if isinstance(connection, Secret) else connection
    host = fields.get("host") if isinstance(fields, Mapping) else None
    spec = _spec(inputs).dump()
    if isinstance(spec["source"], Mapping):
        spec["source"] = {key: value for key, value in spec["source"].items() if key != "ova"}
    ignored = PROCEDURE - COMPARED_PROCEDURE
    compared = {key: value for key, value in spec.items() if key not in ignored}
    return {"owner": inputs.get("owner"), "spec": compared, "connection": {"host": host}}


def _needs_another_template(path: str) -> bool:
    """Whether a difference at this path is one of what the template is, not of how it is made."""
    head, _, rest = path.partition(".")
    return head == "spec" and rest not in COMPARED_PROCEDURE


def _drift(olds: Properties) -> list[str]:
    """Return a difference when the last refresh found something changed by hand."""
    return ["drift"] if olds.get("drift") else []


def _unproved(olds: Properties, news: Properties) -> list[str]:
    """Return a difference when a proof is due: a refresh forgets that a create ended in an error."""
    return ["verified"] if _spec(news).power_on and not _plain(olds, "verified") else []


def _outputs(template: NewTemplate | MendedTemplate) -> dict[str, Any]:
    """Return the outputs that a create or an update makes known."""
    from aiinfra.domains.vsphere.template.lifecycle import NewTemplate

    existing = template.existing
    settings = _settings(template.content, existing.settings)
    outputs: dict[str, Any] = {"path": existing.path, "moref": existing.moref, "settings": settings, "drift": []}
    outputs["verified"] = template.verified
    if isinstance(template, NewTemplate):
        resolved = template.resolved
        outputs |= {
            "name": existing.name,
            "vcenter_uuid": template.vcenter_uuid,
            "gpu_model": resolved.gpu_model,
            "gpu_memory_mib": resolved.gpu_memory_mib,
            "gpu_count": resolved.gpu_count,
            "profile": resolved.profile,
            "content": tree_of(resolved.content),
            "explained": list(resolved.explained),
        }
    return outputs


def _inspected(template: InspectedTemplate) -> dict[str, Any]:
    """Return the outputs that a refresh makes known."""
    settings = _settings(template.content, template.existing.settings)
    return {"settings": settings, "drift": list(template.drift)}


def _settings(content: TemplateContent, settings: Mapping[str, Value]) -> dict[str, Any]:
    """Return the settings for the state: only fields that we set, as a VM's other keys may hold anything."""
    kept = {name: settings.get(name) for name in content.settings()}
    return {name: list(one) if isinstance(one, tuple) else one for name, one in kept.items()}
