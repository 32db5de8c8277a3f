"""The place of a lab: state, seal and world in one folder on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiinfra.engine.notes import FileNotes
from aiinfra.engine.wire import UNKNOWN, Secret, Tree, reveal
from aiinfra.errors import OutsideError
from aiinfra.session.place import Place
from aiinfra.stack import SecretSource

if TYPE_CHECKING:
    from aiinfra.lab.lab import Lab
    from aiinfra.providers.contract import Call, ProviderSpec

LAB_SERVERS: Final = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
LAB_PATIENCE: Final = 10.0
"""Seconds; in a lab nothing takes minutes, so what looks broken for so long is."""
LAB_SWEEPING: Final = 30.0
"""Seconds; a namespace takes about five."""
SIMULATED_CLUSTERS: Final = (
    "nodes are described, not run: kubelets, kernels and GPUs are simulated; the control plane is real",
    "Helm charts are not fetched: their effect (namespace, CRDs, operator, ClusterPolicy) is made by a stand-in",
    "operators are simulated: NFD labels nodes and the GPU Operator makes GPUs allocatable from described hardware",
    "the kubernetes provider is a stand-in that applies to the real API server, without the real one's input checks",
    "CUDA does not run: a GPU pod's answer is computed by the lab",
)
SIMULATED_VCENTER: Final = (
    "the vCenter is a simulator: hosts, cards and VMs are described, nothing is cloned or powered on but on paper",
)


def _simulated(clusters: Sequence[str], *, vcenter: bool) -> Sequence[str]:
    """What is simulated of what is used."""
    return (*(SIMULATED_CLUSTERS if clusters or not vcenter else ()), *(SIMULATED_VCENTER if vcenter else ()))


def notes_of(folder: Path, environment: str) -> FileNotes:
    return FileNotes(folder / "state" / ".aiinfra" / environment)


def cluster_names(stacks: Mapping[str, str]) -> list[str]:
    """Names of the lab clusters that an environment needs; `stacks` maps a stack to its kind."""
    return [name for name, kind in stacks.items() if kind == "existing_cluster"]


def place_of(
    lab: Lab, environment: str, clusters: Sequence[str], secret: Callable[[SecretSource], str] | None
) -> Place:
    """The place of a lab that runs."""
    vcenter = _vcenter(lab)
    return Place(
        state_url=lab.state_url,
        secrets="passphrase",
        passphrase=lab.passphrase,
        random_passphrase=True,
        environ={},
        notes=notes_of(lab.folder, environment),
        kubeconfigs={name: Secret(lab.kubeconfig(name)) for name in clusters},
        vcenter=vcenter,
        secret=secret,
        stand_ins=lambda: _stand_ins(lab.folder, clusters),
        simulated=_simulated(clusters, vcenter=bool(vcenter)),
        official_plugins=False,
        patience=LAB_PATIENCE,
        sweeping=LAB_SWEEPING,
        sequel=lambda: _stopped(lab),
        gone=lambda: _gone(lab),
    )


def ghost_place(folder: Path, environment: str, clusters: Sequence[str], *, vcenter: bool) -> Place:
    """The place of a lab that does not run: what it would give is not known yet. For `preview`."""
    unknown: Mapping[str, Tree] = dict.fromkeys(clusters, UNKNOWN)
    return Place(
        state_url=f"file://{folder / 'state'}",
        secrets="passphrase",
        passphrase="preview of a lab that does not run",
        random_passphrase=True,
        environ={},
        notes=notes_of(folder, environment),
        kubeconfigs=unknown,
        vcenter=dict.fromkeys(("host", "user", "password", "port", "fingerprint"), UNKNOWN) if vcenter else {},
        stand_ins=lambda: _stand_ins(folder, clusters),
        simulated=_simulated(clusters, vcenter=vcenter),
        official_plugins=False,
    )


def _vcenter(lab: Lab) -> Mapping[str, Tree]:
    """Only the fields that say something secret are secrets."""
    account = lab.vcenter()
    return {**asdict(account), "password": Secret(account.password)} if account else {}


def _stand_ins(folder: Path, clusters: Sequence[str]) -> Sequence[ProviderSpec]:
    from aiinfra.domains.kubernetes.lab.standins import kubernetes
    from aiinfra.lab import faults
    from aiinfra.lab.lab import Lab

    def crds_late(call: Call) -> bool:
        late = [fault for fault in faults.read(folder) if fault.name == "crd-late"]
        return any(fault.place in {"", call.stack} or fault.place in _clusters_of(call) for fault in late)

    def _clusters_of(call: Call) -> list[str]:
        lab, used = Lab.find(folder), reveal(call.config.get("kubeconfig", ""))
        return [name for name in clusters if lab and name in lab.clusters() and lab.kubeconfig(name) == used]

    return (kubernetes.spec(crds_late),)


def _gone(lab: Lab) -> OutsideError | None:
    why = lab.end()
    if not why:
        return None
    hint = "run the command again: a dead lab is discarded and a new one started"
    return OutsideError(f"the lab {why} while it was used", code="lab.gone", where="lab", hint=hint, transient=True)


def _stopped(lab: Lab) -> Sequence[str]:
    lab.stop()
    return ("lab (0 processes, 0 files)",)
