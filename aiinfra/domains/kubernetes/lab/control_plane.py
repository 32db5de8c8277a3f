"""The command lines of one control plane. Pure.

etcd speaks over a unix socket in the lab's folder (all paths are relative to it): no port to lose, no reader but its
owner. API servers share a port that the supervisor reserved with SO_REUSEPORT, so nobody else can take it first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from aiinfra.dataclass import dataclass

ETCD: Final = "etcd"
API_SERVER: Final = "kube-apiserver"
FIRST: Final = ("kube-scheduler", "kwok")
"""What may start as soon as the API server answers."""
CONTROLLER_MANAGER: Final = "kube-controller-manager"
"""Starts last: it asks `/healthz` once a second until that is ok, so it should find it so at its first look."""
FOLLOWERS: Final = (*FIRST, CONTROLLER_MANAGER)
BINARIES: Final = (ETCD, API_SERVER, *FOLLOWERS)
ETCD_SOCKET: Final = "unix://etcd.sock:0"
_PEER_SOCKET: Final = "unix://etcd-peer.sock:0"
LEASE_SECONDS: Final = 40
"""How long a node's lease lasts; kwok renews it, the node lifecycle controller reads it (kubelet's default)."""

NO_THROTTLE: Final = ("--kube-api-qps=1000", "--kube-api-burst=2000")
"""With the default of 20 requests a second the controller-manager frees 4 new nodes a second from their taint."""


def etcd(binaries: Mapping[str, str]) -> Sequence[str]:
    return (
        binaries[ETCD],
        "--data-dir=etcd",
        f"--listen-client-urls={ETCD_SOCKET}",
        f"--advertise-client-urls={ETCD_SOCKET}",
        f"--listen-peer-urls={_PEER_SOCKET}",
        f"--initial-advertise-peer-urls={_PEER_SOCKET}",
        f"--initial-cluster=default={_PEER_SOCKET}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    )


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """The servers of one cluster. `home` is its folder below the lab's folder."""

    name: str
    binaries: Mapping[str, str]
    home: str
    prefix: str
    """Its own part of the lab's etcd."""
    port: int
    stages: Sequence[Path]
    """Documents that tell kwok how nodes and pods live."""

    def child(self, program: str) -> str:
        return f"{self.name}/{program}"

    def kubeconfig(self, identity: str) -> str:
        return f"{self.home}/{identity}.kubeconfig"

    @property
    def children(self) -> Sequence[str]:
        return [self.child(program) for program in (*reversed(FOLLOWERS), API_SERVER)]

    def command(self, program: str) -> Sequence[str]:
        arguments = {
            API_SERVER: self._api_server,
            CONTROLLER_MANAGER: self._controller_manager,
            "kube-scheduler": self._scheduler,
            "kwok": self._kwok,
        }[program]()
        return (self.binaries[program], *arguments)

    def _api_server(self) -> Sequence[str]:
        return (
            f"--etcd-servers={ETCD_SOCKET}",
            f"--etcd-prefix={self.prefix}",
            f"--cert-dir={self.home}/certs",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.port}",
            "--permit-port-sharing",
            "--endpoint-reconciler-type=none",
            f"--service-account-key-file={self.home}/sa.key",
            f"--service-account-signing-key-file={self.home}/sa.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={self.home}/tokens.csv",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--allow-privileged=true",
            "--profiling=false",
        )

    def _controller_manager(self) -> Sequence[str]:
        return (
            f"--kubeconfig={self.kubeconfig(CONTROLLER_MANAGER)}",
            f"--service-account-private-key-file={self.home}/sa.key",
            f"--root-ca-file={self.home}/certs/apiserver.crt",
            "--leader-elect=false",
            "--secure-port=0",
            "--profiling=false",
            *NO_THROTTLE,
        )

    def _scheduler(self) -> Sequence[str]:
        kubeconfig = self.kubeconfig("kube-scheduler")
        return (
            f"--kubeconfig={kubeconfig}",
            "--leader-elect=false",
            "--secure-port=0",
            "--profiling=false",
            *NO_THROTTLE,
        )

    def _kwok(self) -> Sequence[str]:
        return (
            f"--kubeconfig={self.kubeconfig('kwok')}",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            f"--node-lease-duration-seconds={LEASE_SECONDS}",
            "--node-ip=127.0.0.1",
            "--cidr=10.129.0.0/16",
            *(f"--config={stage}" for stage in self.stages),
        )
