"""Start one simulated cluster, change its nodes, remove it."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.domain_lab import LabServerContext
from aiinfra.domains.kubernetes.lab.cluster_files import HANDED_OUT, INTERNAL, SPEC, cluster_home
from aiinfra.domains.kubernetes.lab.control_plane import API_SERVER, CONTROLLER_MANAGER, ETCD, FIRST, ControlPlane
from aiinfra.domains.kubernetes.lab.credentials import (
    ADMIN,
    IDENTITIES,
    kubeconfig,
    new_tokens,
    signing_key,
    token_file,
)
from aiinfra.domains.kubernetes.lab.etcd import forget_prefix
from aiinfra.domains.kubernetes.lab.nodes import node_changes, node_objects
from aiinfra.domains.kubernetes.lab.partition import LOOPBACK, Relays, port_of, reserve_port
from aiinfra.errors import OutsideError
from aiinfra.lab.children import log_file
from aiinfra.lab.record import write_atomic
from aiinfra.waiting import Pending, TimedOut, Waiter

if TYPE_CHECKING:
    from aiinfra.domains.kubernetes.client.client import KubeClient
    from aiinfra.domains.kubernetes.lab.block import LabCluster

STAGES: Final = Path(__file__).with_name("kwok")
START_LIMIT: Final = 300.0
"""Seconds for one step of a start; all of them take 3 to 4 on two idle cores, a thousand nodes some more."""
ASK_EVERY: Final = 0.05
"""Seconds."""
STARTING: Final = "node.kubernetes.io/"
"""Begins the keys of taints that Kubernetes itself sets on a node, and takes off when it is Ready."""
WRITERS: Final = 8
"""Nodes created or deleted at once."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ClusterRecord:
    """What the lab's record says of a cluster that answers."""

    version: str
    server: str
    """URL handed out to clients; a partition cuts it."""
    uid: str
    """uid of its `kube-system` namespace."""


@dataclass(slots=True)
class SimulatedCluster:
    """One control plane that answers, and its nodes."""

    plane: ControlPlane
    record: ClusterRecord
    spec: str
    reserved: socket.socket

    @property
    def name(self) -> str:
        return self.plane.name


@dataclass(frozen=True, slots=True)
class ClusterStarter:
    """Starts and removes the clusters of a lab."""

    context: LabServerContext
    relays: Relays

    @property
    def folder(self) -> Path:
        return self.context.folder

    def start(self, name: str, spec: LabCluster, binaries: Mapping[str, str], say: Say) -> SimulatedCluster:
        """Start a cluster and return it once it answers and all its nodes are Ready.

        Raises `OutsideError` `lab.cluster_failed`; then nothing of it runs.
        """
        reserved = reserve_port()
        stages = sorted(STAGES.glob("*.yaml"))
        prefix = f"/{name}-{secrets.token_hex(4)}"
        plane = ControlPlane(name, binaries, f"clusters/{name}", prefix, port_of(reserved), stages)
        try:
            return self._start(plane, spec, reserved, say)
        except OutsideError:
            self._stop_servers(plane, reserved)
            raise

    def remove(self, cluster: SimulatedCluster) -> None:
        """End the servers of a cluster and delete its files. The controllers follow: its kubeconfig goes first."""
        home = cluster_home(self.folder, cluster.name)
        (home / INTERNAL).unlink(missing_ok=True)
        self._stop_servers(cluster.plane, cluster.reserved)
        forget_prefix(cluster.plane.prefix)
        shutil.rmtree(home, ignore_errors=True)
        for child in cluster.plane.children:
            log_file(self.folder / "logs", child).unlink(missing_ok=True)

    def change_nodes(self, cluster: SimulatedCluster, spec: LabCluster) -> None:
        """Make the nodes of a running cluster what `spec` describes."""
        home = cluster_home(self.folder, cluster.name)
        with _client((home / INTERNAL).read_text()) as client:
            _make_nodes(client, spec, cluster.record.version)
            self._await_nodes(cluster.plane, client, spec)
        cluster.spec = _write_spec(home, spec)

    def _start(self, plane: ControlPlane, spec: LabCluster, reserved: socket.socket, say: Say) -> SimulatedCluster:
        home = cluster_home(self.folder, plane.name)
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700, parents=True)
        tokens = new_tokens()
        write_atomic(home / "sa.key", signing_key())
        write_atomic(home / "tokens.csv", token_file(tokens))
        self._run(plane, API_SERVER)
        authority = self._await(plane, lambda: _authority(home))
        direct = f"https://{LOOPBACK}:{plane.port}"
        for identity in IDENTITIES:
            text = kubeconfig(plane.name, direct, authority, identity, tokens[identity])
            write_atomic(self.folder / plane.kubeconfig(identity), text)
        with _client(kubeconfig(plane.name, direct, authority, ADMIN, tokens[ADMIN])) as client:
            uid = self._await(plane, lambda: _uid(client))
            for program in FIRST:
                self._run(plane, program)
            version = client.version()
            _make_nodes(client, spec, version)
            say(f"cluster {plane.name}: {version} answers")
            self._await(plane, lambda: _healthy(client))
            self._run(plane, CONTROLLER_MANAGER)
            self._await_nodes(plane, client, spec)
        server = f"https://{LOOPBACK}:{self.relays.add(plane.name, plane.port)}"
        write_atomic(home / HANDED_OUT, kubeconfig(plane.name, server, authority, ADMIN, tokens[ADMIN]))
        (self.folder / plane.kubeconfig("controllers")).replace(home / INTERNAL)
        self.context.keep(plane.children)
        return SimulatedCluster(plane, ClusterRecord(version, server, uid), _write_spec(home, spec), reserved)

    def _await(self, plane: ControlPlane, ask: Callable[[], str | Pending], every: float = ASK_EVERY) -> str:
        """Ask until there is an answer. Raises `OutsideError` as soon as a server has ended."""

        def alive() -> str | Pending:
            if why := self.context.why_ended((ETCD, *plane.children)):
                raise _failed(plane, why)
            return ask()

        try:
            return Waiter(START_LIMIT, every=every).until(alive)
        except TimedOut as error:
            raise _failed(plane, f"{error.last} did not come within {START_LIMIT:.0f} s") from error

    def _await_nodes(self, plane: ControlPlane, client: KubeClient, spec: LabCluster) -> None:
        """Wait until all nodes are Ready; many nodes are polled less often, as each has some kilobytes."""
        count = sum(group.count for group in spec.nodes.values())
        self._await(plane, lambda: _nodes_ready(client), ASK_EVERY * (1 + count / 50))

    def _run(self, plane: ControlPlane, program: str) -> None:
        self.context.start(plane.child(program), plane.command(program))

    def _stop_servers(self, plane: ControlPlane, reserved: socket.socket) -> None:
        self.relays.remove(plane.name)
        self.context.stop(plane.children)
        reserved.close()


def _client(text: str) -> KubeClient:
    from aiinfra.domains.kubernetes.client.client import KubeClient

    return KubeClient.from_kubeconfig(text)


def _authority(home: Path) -> str | Pending:
    """Return the certificate that the API server made for itself, whose key is written after it."""
    if not (home / "certs" / "apiserver.key").exists():
        return Pending("the API server's certificate")
    return (home / "certs" / "apiserver.crt").read_text()


def _uid(client: KubeClient) -> str | Pending:
    from aiinfra.domains.kubernetes.client.errors import NotFound, Refused, Unreachable

    try:
        return client.cluster_uid()
    except (NotFound, Refused, Unreachable):
        return Pending("the API server's answer")


def _healthy(client: KubeClient) -> str | Pending:
    from aiinfra.domains.kubernetes.client.errors import KubeError

    try:
        return str(client.raw("GET", "/healthz")["message"])
    except KubeError:
        return Pending("the API server's health")


def _make_nodes(client: KubeClient, spec: LabCluster, version: str) -> None:
    from aiinfra.domains.kubernetes.client.objects import ObjectRef

    desired = {node["metadata"]["name"]: node for node in node_objects(spec, version)}
    create, remove = node_changes(client.list("v1", "Node"), desired)
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(client.delete, [ObjectRef("v1", "Node", name) for name in remove]))
        list(pool.map(client.create, create))


def _nodes_ready(client: KubeClient) -> str | Pending:
    late = [node for node in client.list("v1", "Node") if not _ready(node)]
    return Pending(f"node {late[0]['metadata']['name']} to become Ready") if late else "all"


def _ready(node: Mapping[str, Any]) -> bool:
    conditions = node["status"].get("conditions") or ()
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and not any(taint["key"].startswith(STARTING) for taint in node["spec"].get("taints") or ())


def spec_text(spec: LabCluster) -> str:
    return json.dumps(spec.model_dump(mode="json"), sort_keys=True)


def _write_spec(home: Path, spec: LabCluster) -> str:
    write_atomic(home / SPEC, text := spec_text(spec))
    return text


def _failed(plane: ControlPlane, why: str) -> OutsideError:
    return OutsideError(
        f"the simulated cluster {plane.name} did not start: {why}",
        code="lab.cluster_failed",
        where=plane.name,
        hint="its logs are in the folder `logs` of the lab",
    )
