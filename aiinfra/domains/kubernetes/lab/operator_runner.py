"""Runs the real GPU Operator of one cluster while the Deployment of its chart says that it runs. In the supervisor."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.domain_lab import LabServerContext
from aiinfra.domains.kubernetes.charts.helm_engine import PROGRAM as HELM_ENGINE
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError
from aiinfra.domains.kubernetes.lab import real_operator
from aiinfra.domains.kubernetes.lab.block import LabCluster
from aiinfra.domains.kubernetes.lab.cluster_files import INTERNAL, REAL_CHARTS, cluster_home
from aiinfra.domains.kubernetes.lab.standins.charts.real import IN_MODULE, RealChart, write_real_charts
from aiinfra.waiting import Pending, Stopped, Waiter

LOOK_EVERY: Final = 0.5
"""Seconds between two looks at the Deployment."""
ROOT: Final = "operator-root"
log = logging.getLogger(__name__)


@dataclass(slots=True)
class OperatorRunner:
    """Runs from `start` until `stop`."""

    context: LabServerContext
    cluster: str
    command_of: Mapping[str, str]
    """Programs by name."""
    module_caches: Sequence[Path]
    """Where Go keeps modules on this machine."""
    stopping: threading.Event
    thread: threading.Thread | None = None

    @property
    def child(self) -> str:
        return f"{self.cluster}/{real_operator.PROGRAM}"

    def start(self, spec: LabCluster) -> None:
        """Prepare what the operator needs, and follow the cluster from now on. Raises `OutsideError`."""
        isolated = real_operator.isolation()
        program = Path(self.command_of[real_operator.TOOL])
        module = real_operator.module_folder(self.module_caches, program)
        home = cluster_home(self.context.folder, self.cluster)
        kubeconfig = (home / INTERNAL).read_text()
        real_operator.make_root(home / ROOT, program, module, spec, kubeconfig)
        chart = RealChart(module / IN_MODULE, Path(self.command_of[HELM_ENGINE]))
        write_real_charts(self.context.folder, self.cluster, {real_operator.PROGRAM: chart})
        self.thread = threading.Thread(
            target=self._follow, args=(isolated, home / ROOT, kubeconfig), name=f"operator-{self.cluster}", daemon=True
        )
        self.thread.start()

    def stop(self) -> None:
        """End the operator and the thread."""
        self.stopping.set()
        if self.thread is not None:
            self.thread.join()
        self._end()
        (cluster_home(self.context.folder, self.cluster) / REAL_CHARTS).unlink(missing_ok=True)

    def _follow(self, isolated: real_operator.Isolation, root: Path, kubeconfig: str) -> None:
        """Start and end the operator as its Deployment comes and goes."""
        waiter, running = Waiter(limit=float("inf"), every=LOOK_EVERY, stop=self.stopping), ""
        with KubeClient.from_kubeconfig(kubeconfig) as client:
            while not self.stopping.is_set():
                try:
                    running = waiter.until(partial(_changed, client, running))
                except Stopped:
                    return
                self._end()
                if running:
                    self.context.start(self.child, real_operator.command(isolated, root, running))
                    self.context.keep([self.child])

    def _end(self) -> None:
        if self.child in self.context.running():
            self.context.stop([self.child])


def _changed(client: KubeClient, before: str) -> str | Pending:
    try:
        now = real_operator.namespace_of_deployment(client)
    except KubeError as error:
        log.warning("the operator's Deployment: %s", error)
        return Pending("the API server")
    return Pending("a change of the operator's Deployment") if now == before else now
