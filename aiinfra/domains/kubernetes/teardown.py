"""A destroy as the clusters of the environment take part in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from aiinfra.catalog import Catalog
from aiinfra.domain_run import DestroyRequest, RunContext, SweepReport
from aiinfra.domains.kubernetes.forgetting import forget_hint, prove_gone, stacks_in
from aiinfra.domains.kubernetes.identity import verify
from aiinfra.domains.kubernetes.needs import NodeLeftovers
from aiinfra.domains.kubernetes.reach import ClusterHandle, access_to, is_cluster, recorded_access
from aiinfra.domains.kubernetes.sweeping import Sweeper, namesakes_left, note_namespaces, unclaimed
from aiinfra.plan.planner import Plan
from aiinfra.report.run import Dependent, Shared
from aiinfra.stack import StackName

if TYPE_CHECKING:
    from aiinfra.domains.kubernetes.dependents import ClusterLosses


class ClusterTeardown:
    """All access is read when it is made: a stack takes its outputs along when it goes."""

    def __init__(self, run: RunContext, request: DestroyRequest) -> None:
        self._run, self._request = run, request
        self._known = list(_clusters(run, request))
        self._forgotten = [cluster for cluster in self._known if cluster.stack in request.forget]
        self._kept = [cluster for cluster in self._known if cluster.stack not in request.forget]
        self._stacks: Mapping[str, str] = {}
        self._losses: Sequence[ClusterLosses] = ()

    @property
    def forgettable(self) -> Collection[str]:
        return [cluster.stack for cluster in self._known]

    def forgotten(self) -> Mapping[str, str]:
        request = self._request
        destroyed = {name: needs for name, needs in request.needs.items() if name in request.chosen}
        unswept = () if request.whole else self._kept
        self._stacks = stacks_in(self._forgotten, destroyed, unswept, self._run)
        return self._stacks

    def prepare(self) -> Sequence[str]:
        run = self._run
        reached = [cluster for cluster in self._kept if _reached(cluster.stack, self._request)]
        with forget_hint(run.plan.environment.name):
            if not run.simulated:
                verify(reached, run.environ)
            if run.environment_id:
                note_namespaces(run.journal, run.environment_id, reached)
        return [self._not_asked(cluster, prove_gone(cluster, run)) for cluster in self._forgotten]

    def dependents(self) -> Sequence[Dependent]:
        """Ask all clusters at once."""
        from aiinfra.domains.kubernetes.dependents import ClusterLosses
        from aiinfra.domains.kubernetes.recorded import recorded

        run, request = self._run, self._request
        asked = [cluster for cluster in self._kept if _reached(cluster.stack, request)]
        stacks = [recorded(run, stack) for stack in request.needs if stack in request.chosen] if asked else []
        self._losses = [ClusterLosses(run, request, cluster, stacks) for cluster in asked]
        with ThreadPoolExecutor(max(len(asked), 1), thread_name_prefix="dependents") as pool:
            return [found for answer in pool.map(ClusterLosses.find, self._losses) for found in answer]

    def release(self) -> None:
        for losses in self._losses:
            losses.release()

    def shared(self) -> Sequence[Shared]:
        return [found for losses in self._losses for found in losses.shared()]

    def sweep(self) -> SweepReport:
        run = self._run
        kubeconfigs = {cluster.stack: cluster.kubeconfig for cluster in self._kept}
        if run.environment_id:
            leftovers = _node_leftovers(self._request.kinds.values())
            found = Sweeper(
                run.environment_id, run.journal.memo, leftovers, run.say, run.stop, run.sweep_seconds
            ).sweep(kubeconfigs)
        else:
            found = namesakes_left(kubeconfigs, run.plan.environment.name)
        if run.journal.environment_id() is not None:
            return found
        return replace(found, left=(*found.left, *unclaimed(kubeconfigs, _namespaces(run.plan))))

    def _not_asked(self, cluster: ClusterHandle, reason: str) -> str:
        stacks = ", ".join(stack for stack, name in self._stacks.items() if name == cluster.stack)
        return f"cluster {cluster.stack}, with what is left of {stacks or 'no stack'} ({reason})"


def _clusters(run: RunContext, request: DestroyRequest) -> Iterator[ClusterHandle]:
    """Every cluster that may hold something of ours; the recorded access first.

    That of a stack which only the state knows is told by what it gave to others.
    """
    for name in request.needs:
        step = run.plan.steps.get(StackName(name))
        if step is not None and not is_cluster(step):
            continue
        if found := access_to(run, name) if step else recorded_access(run, name):
            yield found


def _reached(cluster: str, request: DestroyRequest) -> bool:
    return cluster in request.chosen or any(cluster in request.needs[name] for name in request.chosen)


def _node_leftovers(kinds: Collection[str]) -> list[NodeLeftovers]:
    catalog = Catalog.installed()
    found = (record for kind in kinds if kind in catalog for record in catalog[kind].leftovers)
    return list(dict.fromkeys(record for record in found if isinstance(record, NodeLeftovers)))


def _namespaces(plan: Plan) -> set[str]:
    """Those that the file's stacks install into, as far as the file says."""
    given = (getattr(step.inputs, "namespace", None) for step in plan.steps.values())
    return {namespace for namespace in given if isinstance(namespace, str)}
