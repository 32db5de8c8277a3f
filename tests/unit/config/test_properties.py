"""What holds of every document, good or bad."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiinfra.config.files import Files
from aiinfra.config.layers import Layer, document_without_marks, merge, merge_layers
from aiinfra.config.values import escape, parse_value
from aiinfra.config.yaml_text import parse
from aiinfra.model.tree import leaves
from tests.unit.site import GOOD, Site

SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab${}", max_size=4)
MAPS = st.recursive(
    st.dictionaries(st.sampled_from("abc"), SCALARS | st.lists(SCALARS, max_size=2), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner | SCALARS, max_size=3),
    max_leaves=8,
)
NO_FIXTURE_RESET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@given(MAPS, MAPS)
def test_merging_changes_neither_side_and_the_stronger_wins(low: dict[str, Any], high: dict[str, Any]) -> None:
    before = json.dumps([low, high])
    both = merge(low, high)
    assert json.dumps([low, high]) == before
    found = dict(leaves(both))
    assert all(found.get(at) == value for at, value in leaves(high) if value != {} and at)


@given(MAPS, MAPS)
def test_merging_with_nothing_or_itself_changes_nothing(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert merge(one, {}) == one == merge({}, one) == merge(one, one)
    assert merge(merge(one, other), other) == merge(one, other)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.dictionaries(st.sampled_from("xy"), SCALARS)), max_size=3))
def test_maps_of_one_shape_may_be_merged_in_any_grouping(maps: list[dict[str, Any]]) -> None:
    a, b, c = [*maps, {}, {}, {}][:3]
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@given(st.lists(MAPS, min_size=1, max_size=4))
def test_the_layer_that_a_value_is_said_to_come_from_has_it(trees: list[dict[str, Any]]) -> None:
    layers = [Layer(str(number), document_without_marks(tree)) for number, tree in enumerate(trees)]
    whole = merge_layers(layers)
    for at, value in leaves(whole.tree):
        if at:
            owner = whole.owners(at)[0]
            assert dict(leaves(trees[int(owner.source)])).get(at) == value or value in ({}, [])


@given(st.text("ab${}:.", max_size=12))
def test_an_escaped_text_stands_for_itself(text: str) -> None:
    assert parse_value(escape(text)) == text


@given(st.text("ab${}:.-envfil ", max_size=12))
def test_a_text_without_an_opening_is_itself_and_no_other_is_lost(text: str) -> None:
    found = parse_value(text)
    if "${" not in text:
        assert found == text
    elif isinstance(found, str):
        assert escape(found) == text


@given(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)))
def test_json_is_read_as_what_it_says_with_a_mark_for_every_value(value: Any) -> None:
    document, wrongs = parse(json.dumps(value))
    if not wrongs:
        assert document.tree == value
        assert {at for at, _ in leaves(document.tree)} <= set(document.values)


@NO_FIXTURE_RESET
@given(st.binary(max_size=80) | st.text("ab:-[]{}&*!|>'\"%@`#,? \n\t", max_size=60).map(str.encode))
def test_any_bytes_are_a_tree_or_problems(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    site = Site(tmp_path_factory.mktemp("any"))
    path = site.write("any.yaml", raw)
    files = Files(site.folder)
    files.read(path)
    assert files.usable or files.found
    assert site.says("any.yaml")


PIECES = st.sampled_from(
    [*GOOD.splitlines(keepends=True), "  - x\n", "    x: y\n", "&a ", "*a", ": ", "{", "}", "[", "]", "${", "}", "'", '"',
     "\n", "  ", "kind: app\n", "stacks:\n", "cluster: ${app}\n", "count: 1e9\n", "!!str ", "<<: ", "---\n", "? ", "| \n", "0"]
)  # fmt: skip


@settings(NO_FIXTURE_RESET, max_examples=150)
@given(st.lists(PIECES, max_size=14), st.integers(0, len(GOOD)))
def test_a_damaged_file_is_loaded_or_refused(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], at: int
) -> None:
    site = Site(tmp_path_factory.mktemp("any"))
    site.write("site.yaml", GOOD[:at] + "".join(pieces) + GOOD[at:])
    for problem in site.says():
        assert problem.startswith("site.yaml")


@settings(NO_FIXTURE_RESET, max_examples=60)
@given(
    st.text("ab.[]\"'=0123stackp: {}", max_size=25),
    st.text("abstack_0", max_size=20),
    st.text("ab: [{'\"&*", max_size=9),
)
def test_any_flag_and_variable_is_followed_or_refused(
    tmp_path_factory: pytest.TempPathFactory, flag: str, name: str, value: str
) -> None:
    site = Site(tmp_path_factory.mktemp("any"), {f"AIINFRA__{name}": value})
    site.write("site.yaml", GOOD)
    site.says("site.yaml", flag)
