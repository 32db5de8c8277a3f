"""After a destroy: what carries the environment's mark in its vCenters is removed, and what is left is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from aiinfra.domains.kubernetes.aftermath import Aftermath
from aiinfra.domains.vsphere.client.access import Access
from aiinfra.domains.vsphere.preflight import by_access
from aiinfra.errors import AiinfraError, ErrorRecord, LeftBehind
from aiinfra.session.vcenters import in_vcenters
from aiinfra.session.work import Turn

if TYPE_CHECKING:
    from aiinfra.domains.vsphere.template.removal import Swept

HINT = "look at it in vCenter; then run destroy again"


def sweep_vcenters(turn: Turn, say: Callable[[str], None], limit: float) -> Aftermath:
    """In every vCenter that the file names. `limit` is seconds for each task. Raises `Stopped`."""
    looked: list[str] = []
    left: list[ErrorRecord] = []
    for access in by_access(turn, in_vcenters(turn.plan.steps.values())):
        try:
            swept = _swept(turn, access, say, limit)
        except AiinfraError as error:
            message = f"vCenter {access} could not be asked what is left: {error.record.message}"
            left.append(ErrorRecord(LeftBehind.default_code, str(access), message, error.record.hint, transient=True))
        else:
            count = f"{len(swept.left)} objects marked {turn.environment_id}"
            swept_too = f"; {len(swept.removed)} swept" if swept.removed else ""
            looked.append(f"vCenter {access} ({count}{swept_too})")
            left += [ErrorRecord(LeftBehind.default_code, str(access), str(kept), HINT) for kept in swept.left]
    return Aftermath(tuple(looked), tuple(left))


def unknown_in_vcenters(turn: Turn) -> Aftermath:
    """What carries the environment's name when its id is lost: listed, not removed, as it may be a namesake's."""
    environment = turn.plan.environment.name
    looked: list[str] = []
    left: list[ErrorRecord] = []
    for access in by_access(turn, in_vcenters(turn.plan.steps.values())):
        looked.append(f"vCenter {access} (its objects named {environment})")
        for id, paths in _namesakes(turn, access, environment).items():
            told = f"{', '.join(paths)} carry the name {environment} and the id {id}"
            hint = f"if they are this environment's: aiinfra destroy {environment} --environment-id {id}"
            left.append(ErrorRecord(LeftBehind.default_code, str(access), told, hint))
    return Aftermath(tuple(looked), tuple(left))


def _namesakes(turn: Turn, access: Access, environment: str) -> Mapping[str, Sequence[str]]:
    from aiinfra.domains.vsphere.client.session import VCenter
    from aiinfra.domains.vsphere.reading.inventory import namesakes

    with VCenter.open(access, stop=turn.stop, say=lambda what: None) as vcenter:
        return namesakes(vcenter, environment)


def _swept(turn: Turn, access: Access, say: Callable[[str], None], limit: float) -> Swept:
    from aiinfra.domains.vsphere.client.session import VCenter
    from aiinfra.domains.vsphere.template.removal import sweep

    with VCenter.open(access, stop=turn.stop, say=say) as vcenter:
        return sweep(vcenter, turn.environment_id, limit)
