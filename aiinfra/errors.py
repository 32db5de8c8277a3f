"""What can go wrong, in families, and what the user reads about it.

    AiinfraError                 exit 1 (a bug) unless a family says otherwise
     ├ ConfigError               exit 2  the file or the flags are wrong; nothing was touched
     ├ OutsideError              exit 3  something outside refused or was missing, before any step started
     ├ StepError                 one step failed; never reaches the command line by itself
     ├ StepsFailed               exit 4  some stacks failed
     ├ LeftBehind                exit 5  destroy succeeded and something is left
     └ Interrupted               exit 130

A vendor's exception stops at its adapter and leaves it as one of these, chained with `from`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """One failure as every sink shows it: the same record in text and in JSON."""

    code: str
    """Dotted and stable, listed in `CODES`: `kube.unreachable`."""
    where: str
    """What it is about: a stack, an object, `file:line:col: path`."""
    message: str
    """One sentence, no secret, no trailing full stop."""
    hint: str = ""
    """One way out; empty when there is none to name."""
    transient: bool = False
    """True when trying again without a change may succeed."""

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in what a person wrote: where it stands, what is wrong, a way out."""

    where: str
    """`file:line:col` as the user wrote it, or `--set` or a variable's name."""
    path: str
    """Dotted path in the document: `stacks.nfd.cluster`; empty for the document itself."""
    message: str
    hint: str = ""
    code: str = "config.invalid"

    def __str__(self) -> str:
        parts = [part for part in (self.where, self.path, self.message) if part]
        return ": ".join(parts) + (f" ({self.hint})" if self.hint else "")

    def record(self) -> ErrorRecord:
        return ErrorRecord(self.code, ": ".join(p for p in (self.where, self.path) if p), self.message, self.hint)


class AiinfraError(Exception):
    """Base of all errors we raise on purpose; anything else that reaches the user is a bug."""

    exit_code: ClassVar[int] = 1
    default_code: ClassVar[str] = "bug"

    def __init__(
        self, message: str, *, code: str = "", where: str = "", hint: str = "", transient: bool = False
    ) -> None:
        super().__init__(message)
        self.record = ErrorRecord(code or self.default_code, where, message, hint, transient)

    def records(self) -> Sequence[ErrorRecord]:
        return (self.record,)


class ConfigError(AiinfraError):
    """The file or the flags are wrong. Carries every problem found, not the first one."""

    exit_code = 2
    default_code = "config.invalid"

    def __init__(
        self, message: str = "", *, problems: Sequence[Problem] = (), code: str = "", where: str = "", hint: str = ""
    ) -> None:
        super().__init__(message or "\n".join(map(str, problems)), code=code, where=where, hint=hint)
        self.problems = tuple(problems)

    def records(self) -> Sequence[ErrorRecord]:
        return tuple(problem.record() for problem in self.problems) or (self.record,)


class OutsideError(AiinfraError):
    """Something outside refused or was missing, before any step started."""

    exit_code = 3
    default_code = "outside.refused"


class StepError(AiinfraError):
    """One step failed. `causes` goes from the leaf (what was waited for) to the root."""

    exit_code = 4
    default_code = "step.failed"

    def __init__(
        self,
        message: str,
        *,
        causes: Sequence[str] = (),
        code: str = "",
        where: str = "",
        hint: str = "",
        transient: bool = False,
    ) -> None:
        super().__init__(message, code=code, where=where, hint=hint, transient=transient)
        self.causes = tuple(causes)


class StepsFailed(AiinfraError):
    """Some stacks failed; the report says which and why."""

    exit_code = 4
    default_code = "run.steps_failed"


class LeftBehind(AiinfraError):
    """Destroy ran to its end and something is left in the world."""

    exit_code = 5
    default_code = "destroy.left_behind"


class Interrupted(AiinfraError):
    """The user asked to stop."""

    exit_code = 130
    default_code = "run.interrupted"


CODES: Mapping[str, str] = {
    "cluster.another": "Another cluster answers where this environment's cluster was: its uid is not the recorded one.",
    "cluster.answers": "A cluster that is to be forgotten answers.",
    "engine.bad_request": "The engine host did not understand what it was asked.",
    "engine.busy": "Another operation runs on the stack.",
    "engine.damaged": "The state of a stack cannot be read: it is cut short or was changed by hand.",
    "engine.failed": "The engine host could not do what it was asked.",
    "engine.gone": "The engine host ended while it was needed.",
    "engine.interrupted": "An operation of the engine was stopped.",
    "engine.key_service": "The key service does not open or seal the secrets of the state.",
    "engine.legacy": "The state is of Pulumi's old format.",
    "engine.locked": "Another process holds the stack's state.",
    "engine.newer": "The state is of a newer format than this aiinfra knows.",
    "engine.not_found": "The stack does not exist.",
    "engine.panic": "The engine itself failed in one operation.",
    "engine.passphrase": "The secrets of the state do not open.",
    "engine.protocol": "The engine host speaks another version of the protocol.",
    "engine.silent": "The engine host does not answer.",
    "engine.start": "The engine host cannot be started.",
    "engine.state": "The state cannot be read or written.",
    "flags.invalid": "Flags that do not fit the command or each other.",
    "kube.foreign": "An object that is to be made exists and belongs to somebody else.",
    "kube.not_ready": "What was waited for did not become ready in time.",
    "kube.stuck": "Objects that were deleted did not go away.",
    "run.upstream_missing": "A stack that is needed is not up, so its outputs are not known.",
    "state.passphrase_missing": "The state is sealed by a passphrase and none is given.",
    "bug": "A fault of aiinfra itself; the message carries where.",
    "cli.approval_needed": "There is no terminal to ask on, and no --yes.",
    "cli.output_lost": "The answer could not be written to its end; what was to be done is done.",
    "cli.summary_suffix": "A summary file whose suffix names no format.",
    "cli.summary_unwritable": "A summary file could not be written.",
    "cli.two_machine_outputs": "Two machine outputs were asked for at once.",
    "cli.usage": "A command, option or argument that does not exist, or a value that does not fit.",
    "catalog.broken_package": "An installed package offers a kind that cannot be loaded.",
    "catalog.duplicate": "Two installed packages define one kind.",
    "config.ambiguous": "ENV may mean more than one file.",
    "config.bad_name": "A name that cannot be one of an environment.",
    "config.exists": "The file to be written exists already.",
    "config.unwritable": "The file cannot be written.",
    "config.cycle": "Stacks need each other in a circle.",
    "config.empty_selection": "--only, --from and --until together choose no stack.",
    "config.no_value": "Nothing stands at the path that is asked for.",
    "config.not_found": "No environment file is found for ENV.",
    "config.reference_type": "A reference or secret gives another type than the field takes.",
    "config.rule": "Inputs of a stack break a rule of its kind.",
    "config.secret_missing": "A secret source of the file is not there.",
    "config.unknown_kind": "No installed kind has this name.",
    "config.unknown_output": "The kind of the stack gives no such output.",
    "config.unknown_stack": "No stack of the environment has this name.",
    "config.unreadable": "An environment file cannot be read to its end.",
    "config.invalid": "The environment file, a layer or a flag is wrong.",
    "destroy.left_behind": "Destroy ran to its end and these objects are still there.",
    "kube.conflict": "The object exists already, changed meanwhile, or another manager owns its fields.",
    "kube.expired": "The API server no longer has the version that was asked for.",
    "kube.failed": "A Kubernetes API server refused a request in a way that has no code of its own.",
    "kube.invalid": "The API server refused an object; the message is the API's own.",
    "kube.kubeconfig": "The kubeconfig cannot be used.",
    "kube.no_such_kind": "The cluster does not serve this kind: its CRD is absent or not established.",
    "kube.not_found": "The object does not exist.",
    "kube.refused": "The API server does not accept the credentials, or they do not allow this.",
    "kube.tls": "The API server's certificate is not trusted.",
    "kube.unreachable": "The API server does not answer.",
    "kube.webhook": "An admission webhook could not be called, or denied the request.",
    "lab.cluster_failed": "A simulated cluster of the lab did not start.",
    "lab.foreign": "The lab in this folder belongs to another machine.",
    "lab.gone": "The lab ended while it was used.",
    "lab.no_cluster": "The lab has no cluster of that name.",
    "lab.none": "The environment has no lab on this machine, or only a dead one.",
    "lab.not_removed": "Files of a lab cannot be deleted.",
    "lab.not_started": "The lab's supervisor did not start.",
    "lab.not_stopped": "Processes of the lab do not end.",
    "lab.vcenter_changed": "The lab's vCenter was started with another description.",
    "lab.vcenter_failed": "The lab's vCenter did not start, or does not answer.",
    "lab.unknown_fault": "No fault has that name.",
    "lab.unknown_place": "The lab has nothing of that name to break.",
    "lab.unreadable": "The record of a lab is damaged, or of another version of aiinfra.",
    "lock.engine_busy": "The engine host of a run that died is still working.",
    "lock.held": "Another run holds this environment.",
    "lock.unreadable": "The environment's lock beside the state cannot be read.",
    "machine.folder": "A folder of ours on this machine cannot be made, read or written.",
    "outside.refused": "Something outside refused or was missing before any step started.",
    "rehearsal.folder": "The folder that rehearsals use cannot be written.",
    "rehearsal.failed": "A part of a rehearsal did not go as it should.",
    "render.failed": "A program could not be run without the world.",
    "run.not_approved": "The user was asked and said no.",
    "provider.no_such_type": "A program asks a provider of ours for a resource type or function that it does not have.",
    "run.interrupted": "The run was stopped by the user.",
    "run.steps_failed": "At least one stack failed.",
    "state.folder": "The state's folder cannot be read or written.",
    "state.lost": "The state's storage does not keep what is written to it.",
    "state.note_unreadable": "A note beside the state cannot be read.",
    "step.failed": "One stack failed.",
    "toolchain.build": "`go build` failed; the message carries its first error, the log the rest.",
    "toolchain.cache": "The toolchain's cache folder cannot be written.",
    "toolchain.checksum": "A download is not what is pinned; nothing was installed.",
    "toolchain.damaged": "An installed program is not what was recorded, or does not run.",
    "toolchain.directory": "The folder named by --toolchain is absent or was made for another version.",
    "toolchain.go": "There is no Go that is new enough, and the pinned one could not be had.",
    "toolchain.locked": "Another process has been installing for too long.",
    "toolchain.network": "The Go module proxy refused or cannot be reached.",
    "toolchain.offline": "A program is missing and --offline forbids to get it.",
    "toolchain.space": "The disk is full.",
    "test.failed": "A test resource was told to fail.",
    "proof.failed": "The proof that GPUs work failed at one of its rungs.",
    "vsphere.busy": "Another task works on the object in vCenter, or somebody else changed it.",
    "vsphere.capacity": "How many VMs of the template the hosts can start now.",
    "vsphere.cards": "The cluster has no card of the kind that the template takes.",
    "vsphere.datastore": "The datastore of a template: its space, and which hosts mount it.",
    "vsphere.dns": "A host's DNS servers.",
    "vsphere.drs": "DRS of the cluster, which places VMs with GPUs.",
    "vsphere.ecc": "The ECC mode of cards, which no vSphere API tells.",
    "vsphere.esxi": "The release of ESXi on a host.",
    "vsphere.evacuation": "What vGPU VMs do when their host enters maintenance.",
    "vsphere.exists": "The name is taken in vCenter.",
    "vsphere.failed": "vCenter refused something in a way that has no code of its own.",
    "vsphere.folder": "The folder of a template.",
    "vsphere.gpu_absent": "No host lists a vGPU profile of the GPU model.",
    "vsphere.graphics": "The graphics type of a host and its cards.",
    "vsphere.label": "The hardware label of a card.",
    "vsphere.present": "A host is not connected, or in maintenance mode, or not in the cluster.",
    "vsphere.device_group": "No host lists the device group, or nobody tells how many are free.",
    "vsphere.pinned": "A template whose VMs run on one host and nowhere else.",
    "vsphere.reboot": "A host waits for a reboot before what was set on it takes effect.",
    "vsphere.driver": "NVIDIA's driver on a host, and its branch against the guest's.",
    "vsphere.licence": "The edition that a host is licensed for.",
    "vsphere.locked": "The account is locked at the vCenter.",
    "vsphere.login": "The vCenter does not accept the account or its password.",
    "vsphere.memory": "No host has enough memory left for a VM.",
    "vsphere.memory_not_reserved": "A VM with GPUs was not started: not all of its memory is reserved.",
    "vsphere.mig": "MIG mode of a host's cards.",
    "vsphere.mig_off": "A MIG-backed profile while MIG mode is off.",
    "vsphere.sizes": "Whether a card takes vGPUs of several sizes.",
    "vsphere.mmio": "A VM with GPUs was not started: its MMIO space is too small.",
    "vsphere.model": "A GPU model that needs a newer driver on the host.",
    "vsphere.not_found": "The object does not exist in the vCenter, or not any more.",
    "vsphere.not_vcenter": "Something else than a vCenter answers.",
    "vsphere.ntp": "A host's NTP servers and service.",
    "vsphere.passthrough": "Whether a card is passed through, or waits for a reboot.",
    "vsphere.power_on": "A VM with GPUs was not started, or does not run as it should.",
    "vsphere.privileges": "A privilege that the account lacks.",
    "vsphere.another": "Another vCenter answers under this name: its id is not the recorded one.",
    "vsphere.host_change": "What aiinfra would change on a host, as manage_hosts allows.",
    "vsphere.image": "An image cannot be imported.",
    "vsphere.name": "A name that vCenter would refuse.",
    "vsphere.not_kept": "vCenter did not keep what was set on a VM.",
    "vsphere.profile": "The vGPU profile that is taken.",
    "vsphere.profile_mode": "The profile is of the other way of sharing.",
    "vsphere.profile_not_startable": "No card has room for the profile in its mode.",
    "vsphere.profile_too_small": "No profile of the GPU has so much memory.",
    "vsphere.profile_unknown": "No host lists a profile of that name.",
    "vsphere.running": "A template was made a VM by hand, and it runs.",
    "vsphere.source": "What a template is cloned from.",
    "vsphere.space": "A datastore has no room.",
    "vsphere.sriov": "SR-IOV of a card.",
    "vsphere.task_slow": "A task of the vCenter did not end in time.",
    "vsphere.template": "What a template gets, chosen and computed, and why.",
    "vsphere.tls": "The vCenter's certificate is not trusted.",
    "vsphere.unreachable": "The vCenter does not answer, or not to the end.",
    "vsphere.unreadable": "An answer of the vCenter cannot be understood.",
    "vsphere.version": "The vCenter is too old for what is to be done.",
    "vsphere.vgpu_plugin": "The vGPU manager of a host did not start a vGPU.",
}
"""Every code a user can meet, with what it means. `aiinfra schema errors` prints it."""
