"""vSphere's half of a lab, as commands use it. Imported by every command on a lab: no heavy import at the top."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from aiinfra.domain_lab import Connection, FaultType, LabDomain
from aiinfra.domains.vsphere.lab.account import FOLDER, VCenterAccount, started_as
from aiinfra.stack import SecretSource, StackName

if TYPE_CHECKING:
    from aiinfra.engine.wire import Tree
    from aiinfra.plan.planner import Plan
    from aiinfra.providers.contract import ProviderSpec

INPUT: Final = "vcenter"
"""The input by which a kind says that it works in a vCenter."""
_UNRESOLVED: Final = ("host", "user", "password", "fingerprint")
"""Fields of a vCenter that a secret source can stand for. Its port is a number, and stays 443 until the lab runs."""


def _fault(name: str, effect: str, sign: str = "", *, overcome: bool = False) -> FaultType:
    place = "the name of an ESXi host"
    return FaultType(name, effect, sign, overcome=overcome, scope="domain", place=place)


FAULTS: Final = (
    _fault(
        "clone-fails-halfway",
        "a clone ends in an error when the VM is there already, half made",
        "does not answer",
    ),
    _fault("profile-missing", "hosts offer no vGPU profile", "no host lists"),
    _fault(
        "reboot-pending",
        "cards are enabled for passthrough and not active before a reboot of their host",
        "a reboot is pending",
    ),
    _fault("task-hangs", "tasks on VMs do not end", "has not ended"),
    _fault("vcenter-host-full", "the cards of hosts are all in use", "room"),
    _fault("vcenter-session-expired", "the vCenter forgets each session once", overcome=True),
    _fault("vib-mismatch", "the hosts' vGPU manager is of a branch that fits no guest driver", "guest driver"),
)
SIMULATED: Final = (
    "the vCenter is a simulator: hosts, cards and VMs are described, nothing is really cloned or powered on",
)
NOT_CHECKED: Final = (
    "guest systems: a VM that runs has no guest, no address and no driver, and asks for no licence of vGPU",
    "speed: disks are not copied, and a thin disk takes all of its size from the datastore",
    "the contents of an uploaded disk",
    "vMotion, suspend, storage policies, distributed switches, encryption, fault tolerance and HA",
    "CPU capacity, NUMA, and reservations and limits of resource pools: a pool has all that its cluster has",
    "the overhead memory of VMs, and shares",
    "where a driver places vGPUs of several sizes and MIG instances: the best placement is assumed",
    "topologies of device groups: a group is its name and the profiles of its devices",
    "concurrent changes of one VM: a vCenter refuses the second with TaskInProgress",
    "REST beyond sessions and tags: content libraries, and VMs by REST",
    "the keys of ESXi's messages: their sentences and the types of faults are those of vSphere 8, most keys are not",
)


class VSphereLab:
    """The simulated vCenter: one process with all of its world in memory."""

    key: str = "vcenter"
    part: str = "vCenter"
    model: str = "aiinfra.domains.vsphere.lab.block:vcenter_field"
    tools: Sequence[str] = (FOLDER,)
    simulated: Sequence[str] = SIMULATED
    not_checked: Sequence[str] = NOT_CHECKED
    faults: Sequence[FaultType] = FAULTS
    server: str = "aiinfra.domains.vsphere.lab.simulator:SimulatedVCenter"

    def spec(self, plan: Plan) -> Tree | None:
        """Return the description that the vCenter is started with; its account is made when it starts."""
        if not _in_vcenter(plan):
            return None
        from aiinfra.domains.vsphere.lab.block import LabVCenter
        from aiinfra.domains.vsphere.lab.description import vcenter_description

        spec = LabVCenter.model_validate(plan.environment.lab.get(self.key) or {})
        return cast("Tree", json.loads(json.dumps(vcenter_description(spec, user="", password=""))))

    def provides(self, folder: Path, spec: Tree) -> bool:
        return started_as(folder) == spec

    def connection(self, folder: Path | None, plan: Plan) -> Connection:
        """Return access to the lab's vCenter for each stack that works in one; unknown before the lab has it."""
        stacks = _in_vcenter(plan)
        if not stacks:
            return Connection()
        from aiinfra.domains.vsphere.block import VCenterSpec
        from aiinfra.engine.wire import UNKNOWN, Secret

        account = VCenterAccount.read(folder) if folder else None
        sources: dict[str, Any] = {field: SecretSource("file", f"lab vcenter {field}") for field in _UNRESOLVED}
        spec = VCenterSpec.model_construct(None, **sources, port=account.port if account else 443)
        known: Mapping[str, Tree] = dict.fromkeys(sources, UNKNOWN)
        if account:
            known = {**asdict(account), "password": Secret(account.password)}
        return Connection(
            {name: {INPUT: spec} for name in stacks}, {source: known[field] for field, source in sources.items()}
        )

    def stand_ins(self, folder: Path) -> Sequence[ProviderSpec]:
        """Return no stand-in: the provider speaks to the simulator itself."""
        return ()

    def access(self, plan: Plan, stack: StackName) -> Sequence[StackName]:
        """Return no stack: the file gives access to a vCenter, and no stack does."""
        return ()

    def assumed(self, plan: Plan, described: Tree) -> tuple[Tree, Sequence[str]]:
        if described is not None or not _in_vcenter(plan):
            return described, ()
        from aiinfra.domains.vsphere.lab.assumed import assumed_vcenter

        return assumed_vcenter(plan)


def _in_vcenter(plan: Plan) -> Sequence[StackName]:
    """Return the stacks that work in a vCenter."""
    return [name for name, step in plan.steps.items() if INPUT in step.kind.connection]


LAB: Final[LabDomain] = VSphereLab()
