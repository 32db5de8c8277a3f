"""Take an environment down: its stacks in reverse, then what carries its mark, then the place itself.

It starts nothing in order to delete it, and sweeps also when a stack's state is absent or empty.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from aiinfra.catalog import Catalog
from aiinfra.domains.kubernetes.access import ClusterAccess
from aiinfra.domains.kubernetes.aftermath import Aftermath, Sweeper, note_namespaces, unclaimed, unknown_ids
from aiinfra.domains.kubernetes.forgetting import doomed, forget, given_up_clusters, not_asked, prove_gone, way_out
from aiinfra.domains.kubernetes.identity import Known, given_access, meet, opened
from aiinfra.domains.kubernetes.needs import NodeLeftovers
from aiinfra.engine.events import RunReport, StackResult
from aiinfra.engine.journal import Success
from aiinfra.engine.queue import Queue
from aiinfra.engine.run import Run
from aiinfra.engine.wire import UNKNOWN
from aiinfra.errors import ConfigError
from aiinfra.plan.graph import ordered
from aiinfra.plan.planner import Plan
from aiinfra.session import work
from aiinfra.session.keys import forget_key
from aiinfra.session.options import Options
from aiinfra.session.place import Place
from aiinfra.session.reporting import Reporting
from aiinfra.session.vcenters import in_vcenters
from aiinfra.stack import StackName
from aiinfra.waiting import Stopped

if TYPE_CHECKING:
    from aiinfra.session.session import Session


def run(session: Session, turn: work.Turn, place: Place, options: Options, report: Reporting) -> RunReport:
    """Destroy what is chosen. Only a whole destroy sweeps and ends with the place."""
    needs, kinds = _standing(turn)
    chosen = _chosen(needs, turn.standing(), options)
    known = _clusters(turn, needs)
    given_up = given_up_clusters(options.forget, known)
    clusters = [cluster for cluster in known if cluster not in given_up]
    taken = {name: needs[name] for name in needs if name in chosen}
    lost = doomed(given_up, taken, () if options.selection.all else clusters, turn)
    reached = [cluster for cluster in clusters if _reached(cluster.stack, chosen, needs)]
    with way_out(turn.plan.environment.name):
        if not place.is_simulated:
            meet(reached, session.world.environ)
        if turn.environment_id:
            note_namespaces(turn.journal, turn.environment_id, reached)
    report.not_asked = not_asked({cluster.stack: prove_gone(cluster, turn) for cluster in given_up}, lost)
    report.started([name for name in reversed(needs) if name in chosen])
    kubeconfigs = {cluster.stack: cluster.kubeconfig for cluster in clusters}
    queue = Queue.down({name: [n for n in needs[name] if n in chosen] for name in needs if name in chosen})
    walk = Run(
        queue,
        {name: kinds[name] for name in reversed(needs) if name in chosen},
        lambda name: _ended(turn, name, kinds[name], lost),
        options.parallel,
        session.on_event,
        session.world.now,
    )
    with session.interrupts.heard(turn.engine.stop):
        results = walk.go(session.interrupts.stop)
        interrupted = session.interrupts.count > 0
        if interrupted or not options.selection.all or any(r.error for r in results):
            return report.ended(results, interrupted=interrupted)
        try:
            swept = _sweep(session, turn, place, kubeconfigs, _traces(kinds.values()))
        except Stopped:
            return report.ended(results, interrupted=True)
    return _finish(turn, place, results, swept, report, keep=options.keep_lab)


def _ended(turn: work.Turn, stack: str, kind: str, lost: Mapping[str, str]) -> StackResult:
    if stack in lost:
        return forget(turn, stack, kind, lost[stack])
    return work.destroy(turn, stack, kind)


def _sweep(
    session: Session, turn: work.Turn, place: Place, kubeconfigs: Mapping[str, str], traces: Sequence[NodeLeftovers]
) -> Aftermath:
    journal = turn.journal
    if turn.environment_id:
        say, limit = session.places.say, place.sweeping
        sweeper = Sweeper(turn.environment_id, journal.namespaces, traces, say, turn.stop, limit)
        found = sweeper.sweep(kubeconfigs)
    else:
        found = unknown_ids(kubeconfigs, turn.plan.environment.name)
    yet_to_come = UNKNOWN in place.connection.secrets.values()
    if in_vcenters(turn.plan.steps.values()) and not yet_to_come:
        found = _and_vcenters(turn, found, session.places.say, place.sweeping)
    if journal.environment_id() is not None:
        return found
    return replace(found, left=(*found.left, *unclaimed(kubeconfigs, _namespaces(turn.plan))))


def _and_vcenters(turn: work.Turn, found: Aftermath, say: Callable[[str], None], limit: float) -> Aftermath:
    from aiinfra.domains.vsphere.sweep import sweep_vcenters, unknown_in_vcenters

    there = sweep_vcenters(turn, say, limit) if turn.environment_id else unknown_in_vcenters(turn)
    return Aftermath((*found.looked, *there.looked), (*found.left, *there.left))


def _namespaces(plan: Plan) -> set[str]:
    """Those that the file's stacks install into, as far as the file tells."""
    told = (getattr(step.inputs, "namespace", None) for step in plan.steps.values())
    return {namespace for namespace in told if isinstance(namespace, str)}


def _traces(kinds: Iterable[str]) -> list[NodeLeftovers]:
    catalog = Catalog.installed()
    return list(dict.fromkeys(trace for kind in kinds if kind in catalog for trace in catalog[kind].leftovers))


def _finish(
    turn: work.Turn, place: Place, results: list[StackResult], swept: Aftermath, report: Reporting, *, keep: bool
) -> RunReport:
    if swept.left:
        return report.ended(results, interrupted=False, errors=swept.left, nothing_left=swept.looked)
    turn.journal.erase()
    forget_key(turn.world, turn.environment_id)
    remaining = turn.engine.host().stacks()
    turn.engine.close()
    sequel = () if keep else place.sequel()
    looked = (*swept.looked, f"state ({len(remaining)} stacks)", *sequel)
    return report.ended(results, interrupted=False, nothing_left=looked)


def _standing(turn: work.Turn) -> tuple[dict[str, list[str]], dict[str, str]]:
    """What may stand: the file's stacks, and those that only the state knows; with what each needs, and its kind."""
    steps = turn.plan.steps
    kinds = {str(name): step.kind.kind for name, step in steps.items()}
    needs: dict[str, list[str]] = {str(name): [str(n) for n in step.needs] for name, step in steps.items()}
    recorded = {stack: turn.journal.success(stack) for stack in sorted(turn.standing())}
    for stack, known in recorded.items():
        if stack not in steps:
            kinds[stack] = known.kind if known else "no longer in the file"
            needs[stack] = [n for n in (known.needs if known else ()) if n in steps]
    wider = {
        stack: [*wants, *_dropped(recorded.get(stack), needs.keys() - set(wants))] for stack, wants in needs.items()
    }
    return (wider if len(ordered(wider)) == len(wider) else needs), kinds


def _dropped(known: Success | None, others: Collection[str]) -> list[str]:
    """What the stack needed when it was last up and what the file would not tell: edits may make that a circle."""
    return [name for name in (known.needs if known else ()) if name in others]


def _chosen(needs: Mapping[str, list[str]], standing: Collection[str], options: Options) -> set[str]:
    selection = options.selection
    if selection.all:
        return set(needs)
    if selection.from_ or selection.until:
        raise ConfigError("destroy takes --only, not --from or --until", code="flags.invalid", where="destroy")
    for name in selection.only:
        if name not in needs:
            known = f"known are {', '.join(sorted(needs))}"
            raise ConfigError(f"no stack is named {name}", code="config.unknown_stack", where="--only", hint=known)
    chosen = set(selection.only)
    for name, wants in needs.items():
        if name in standing and name not in chosen and chosen & set(wants):
            blocker = sorted(chosen & set(wants))[0]
            raise ConfigError(
                f"{name} still needs {blocker}", code="flags.invalid", where="--only", hint=f"add --only {name}"
            )
    return chosen


def _clusters(turn: work.Turn, needs: Mapping[str, list[str]]) -> list[Known]:
    """Every cluster that may hold something of ours, read before anything is taken down; the recorded access first.

    That of a stack which only the state knows is told by what it gave to others.
    """
    found = []
    for name in needs:
        step = turn.plan.steps.get(StackName(name))
        if step is not None and not issubclass(step.kind.outputs, ClusterAccess):
            continue
        told = turn.engine.outputs(name) if turn.stood(name) else {}
        if text := opened(told.get("kubeconfig")) or (step and given_access(step, turn.secret)):
            found.append(Known(name, text, opened(told.get("uid"))))
    return found


def _reached(cluster: str, chosen: Collection[str], needs: Mapping[str, list[str]]) -> bool:
    return cluster in chosen or any(cluster in needs[name] for name in chosen)
