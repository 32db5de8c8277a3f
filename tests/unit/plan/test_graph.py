"""Order and cycles of graphs written as `{node: needs}`."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiinfra.plan.graph import cycles, downstream, topological_order, upstream


def graph(text: str) -> dict[str, str]:
    """`"a, b:a, c:ab"`: b needs a, c needs a and b."""
    return dict(part.strip().partition(":")[::2] for part in text.split(","))


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("a", "a"),
        ("a, b, c", "abc"),
        ("c, b, a", "cba"),
        ("a:b, b:c, c", "cba"),
        ("d:bc, b:a, c:a, a", "abcd"),
        ("z:a, a, m:a", "azm"),
        ("a:x, b", "ab"),
    ],
)
def test_each_comes_after_what_it_needs_and_else_as_written(text: str, order: str) -> None:
    assert "".join(topological_order(graph(text))) == order


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a, b:a", []),
        ("a:b, b:a", ["ab"]),
        ("a:b, b:c, c:a, d:a", ["abc"]),
        ("a:b, b:a, c:d, d:c", ["ab", "cd"]),
        ("x:a, a:b, b:a", ["ab"]),
        ("a:bc, b:a, c:a", ["ab"]),
        ("a:a", ["a"]),
    ],
)
def test_one_cycle_of_every_knot_is_found(text: str, found: list[str]) -> None:
    assert ["".join(cycle) for cycle in cycles(graph(text))] == found


def test_downstream_and_upstream() -> None:
    needs = graph("a, b:a, c:b, d:a, e")
    assert downstream(needs, ["b"]) == set("bc")
    assert upstream(needs, ["c"]) == set("abc")


@st.composite
def any_graph(draw: st.DrawFn, *, acyclic: bool) -> Mapping[str, list[str]]:
    nodes = draw(st.permutations("abcdefgh"))
    return {
        node: draw(st.lists(st.sampled_from(nodes[:number] if acyclic else nodes), unique=True, max_size=4))
        if number or not acyclic
        else []
        for number, node in enumerate(nodes)
    }


@given(any_graph(acyclic=True))
def test_an_order_has_every_node_once_behind_its_needs(needs: Mapping[str, list[str]]) -> None:
    order = topological_order(needs)
    assert sorted(order) == sorted(needs)
    assert all(order.index(need) < order.index(node) for node, needed in needs.items() for need in needed)
    assert list(cycles(needs)) == []


@given(any_graph(acyclic=False))
def test_a_cycle_is_one_and_without_cycles_everything_is_ordered(needs: Mapping[str, list[str]]) -> None:
    found = [list(cycle) for cycle in cycles(needs)]
    for cycle in found:
        assert all(after in needs[node] for node, after in zip(cycle, [*cycle[1:], cycle[0]], strict=True))
    assert (len(topological_order(needs)) == len(needs)) == (not found)
