"""The place of a lab: state, encryption and world in one folder on this machine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aiinfra.disk import folder_errors
from aiinfra.domain_lab import Connection, StandsInForPlugins, VariesByPlan
from aiinfra.engine.notes import FileNotes
from aiinfra.errors import OutsideError
from aiinfra.lab.domains import lab_domains, lab_domains_of
from aiinfra.plan.planner import Plan
from aiinfra.session.place.place import Place
from aiinfra.session.place.real import PASSED_ON
from aiinfra.stack import SecretSource

if TYPE_CHECKING:
    from aiinfra.lab.lab import Lab
    from aiinfra.providers.contract import ProviderSpec

LAB_PATIENCE: Final = 10.0
"""Seconds; in a lab nothing takes minutes, so what looks broken for that long is broken."""
LAB_SWEEPING: Final = 30.0
"""Seconds; a namespace takes about five."""


def notes_of(folder: Path, environment: str) -> FileNotes:
    return FileNotes(folder / "state" / ".aiinfra" / environment)


def place_of(
    lab: Lab,
    plan: Plan,
    secret: Callable[[SecretSource], str] | None,
    official: Collection[str] = (),
    environ: Mapping[str, str] = MappingProxyType({}),
) -> Place:
    """Return the place of a running lab. `official`: plugins that run instead of stand-ins, with `environ`."""
    return Place(
        state_url=lab.state_url,
        secrets="passphrase",
        passphrase=lab.passphrase,
        random_passphrase=True,
        environ={key: value for key, value in environ.items() if key in PASSED_ON} if official else {},
        notes=notes_of(lab.folder, plan.environment.name),
        connection=_connection(lab.folder, plan),
        secret=secret,
        stand_ins=lambda: [spec for spec in _stand_ins(lab.folder) if spec.name not in official],
        simulated=_simulated(plan, official),
        official_plugins=bool(official),
        in_lab=True,
        patience=LAB_PATIENCE,
        sweeping=LAB_SWEEPING,
        sequel=lambda: _stopped(lab),
        gone=lambda: _gone(lab),
    )


def ghost_place(folder: Path, plan: Plan) -> Place:
    """Return the place of a lab that does not run, for `preview`: what it would give is not known yet."""
    return Place(
        state_url=f"file://{folder / 'state'}",
        secrets="passphrase",
        passphrase="preview of a lab that does not run",
        random_passphrase=True,
        environ={},
        notes=notes_of(folder, plan.environment.name),
        connection=_connection(None, plan),
        stand_ins=lambda: _stand_ins(folder),
        simulated=_simulated(plan, ()),
        official_plugins=False,
        in_lab=True,
    )


def _connection(folder: Path | None, plan: Plan) -> Connection:
    """Return what the domains of the plan give as one value; a stack may get something from several."""
    with folder_errors("the lab's folder", folder or Path()):
        found = [domain.connection(folder, plan) for domain in lab_domains_of(plan).values()]
    stacks = {name for one in found for name in one.inputs}
    return Connection(
        {name: {key: value for one in found for key, value in one.inputs.get(name, {}).items()} for name in stacks},
        {source: value for one in found for source, value in one.secrets.items()},
    )


def _simulated(plan: Plan, official: Collection[str]) -> Sequence[str]:
    """Return what is simulated of what the plan uses, one sentence each."""
    domains = lab_domains_of(plan).values()
    never = {
        sentence
        for domain in domains
        if isinstance(domain, StandsInForPlugins)
        for name in official
        for sentence in domain.of_plugin.get(name, ())
    }
    told = [domain.simulated_of(plan) if isinstance(domain, VariesByPlan) else domain.simulated for domain in domains]
    return [sentence for sentences in told for sentence in sentences if sentence not in never]


def _stand_ins(folder: Path) -> Sequence[ProviderSpec]:
    """Return the stand-ins of all installed domains, as a destroy also handles stacks that left the file."""
    return [spec for domain in lab_domains().values() for spec in domain.stand_ins(folder)]


def _gone(lab: Lab) -> OutsideError | None:
    why = lab.end()
    if not why:
        return None
    hint = "run the command again: a dead lab is discarded and a new one started"
    return OutsideError(f"the lab {why} while it was used", code="lab.gone", where="lab", hint=hint, transient=True)


def _stopped(lab: Lab) -> Sequence[str]:
    lab.stop()
    return ("lab (0 processes, 0 files)",)
