"""Order and cycles of a graph given as `node -> the nodes it needs`. Pure; knows nothing of stacks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import TypeAlias, TypeVar

N = TypeVar("N", bound=str)
Needs: TypeAlias = Mapping[N, Collection[N]]


def topological_order(needs: Needs[N]) -> list[N]:
    """Every node after all it needs; among those that are free, in the order of the mapping. No cycle may be in it."""
    waiting = {node: {n for n in needed if n in needs} for node, needed in needs.items()}
    users = reverse(needs)
    place = {node: number for number, node in enumerate(needs)}
    free = [(place[node], node) for node, needed in waiting.items() if not needed]
    order: list[N] = []
    while free:
        _, node = heappop(free)
        order.append(node)
        for user in users[node]:
            waiting[user].discard(node)
            if not waiting[user]:
                heappush(free, (place[user], user))
    return order


def reverse(needs: Needs[N]) -> dict[N, list[N]]:
    """`node -> the nodes that need it`."""
    users: dict[N, list[N]] = {node: [] for node in needs}
    for node, needed in needs.items():
        for other in needed:
            if other in users:
                users[other].append(node)
    return users


def downstream(needs: Needs[N], start: Collection[N]) -> set[N]:
    """The nodes of `start` and all that need them, directly or not."""
    return _reachable(reverse(needs), start)


def upstream(needs: Needs[N], start: Collection[N]) -> set[N]:
    """The nodes of `start` and all that they need, directly or not."""
    return _reachable(needs, start)


def _reachable(edges: Needs[N], start: Collection[N]) -> set[N]:
    found, todo = set(start), list(start)
    while todo:
        for other in edges.get(todo.pop(), ()):
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def cycles(needs: Needs[N]) -> Iterator[Sequence[N]]:
    """One cycle out of every knot, each as the nodes along it, the first not repeated: `[a, b]` for a → b → a."""
    left = {node: [n for n in needed if n in needs] for node, needed in needs.items()}
    while stuck := _stuck(left):
        cycle = _find_cycle(stuck)
        yield cycle
        knot = _reachable(left, cycle) & _reachable(reverse(left), cycle)
        left = {node: [n for n in needed if n not in knot] for node, needed in left.items() if node not in knot}


def _stuck(needs: Mapping[N, Sequence[N]]) -> dict[N, list[N]]:
    """The nodes that lie on a cycle or need one that does."""
    free = set(topological_order(needs))
    return {node: [n for n in needed if n not in free] for node, needed in needs.items() if node not in free}


def _find_cycle(stuck: Mapping[N, Sequence[N]]) -> list[N]:
    """Follow the first need of each node until one comes back: the nodes from there on are a cycle."""
    path = [next(iter(stuck))]
    while (following := stuck[path[-1]][0]) not in path:
        path.append(following)
    cycle = path[path.index(following) :]
    first = min(range(len(cycle)), key=lambda n: list(stuck).index(cycle[n]))
    return [*cycle[first:], *cycle[:first]]
