"""Which stacks may run now, read as small stories."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiinfra.engine.queue import Queue

CHAIN = {"cluster": [], "nfd": ["cluster"], "operator": ["cluster", "nfd"], "proof": ["operator"], "other": []}


def test_a_failed_stack_blocks_all_that_need_it_and_nothing_else() -> None:
    queue = Queue(CHAIN)
    queue.claim("cluster")
    assert queue.fail("cluster") == ["nfd", "operator", "proof"]
    assert queue.ready() == ["other"]


def test_stacks_start_when_all_they_need_is_done() -> None:
    queue = Queue(CHAIN)
    assert queue.ready() == ["cluster", "other"]
    queue.claim("cluster")
    assert queue.ready() == ["other"]
    queue.done("cluster")
    assert queue.ready() == ["nfd", "other"]
    assert queue.waits_for("operator") == ["nfd"]


def test_destroy_walks_from_the_other_end() -> None:
    queue = Queue.down(CHAIN)
    assert queue.ready() == ["proof", "other"]
    for name in ("proof", "operator", "nfd"):
        queue.claim(name)
        queue.done(name)
    assert queue.ready() == ["cluster", "other"]


def test_a_stack_is_claimed_once() -> None:
    queue = Queue({"a": []})
    queue.claim("a")
    with pytest.raises(ValueError, match="a is not ready"):
        queue.claim("a")


def test_stopping_gives_up_what_has_not_started() -> None:
    queue = Queue(CHAIN)
    queue.claim("cluster")
    assert queue.drain() == ["nfd", "operator", "proof", "other"]
    assert not queue.finished
    queue.done("cluster")
    assert queue.finished


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    names = [f"s{i}" for i in range(draw(st.integers(1, 12)))]
    return {name: draw(st.lists(st.sampled_from(names[:i]), unique=True)) if i else [] for i, name in enumerate(names)}


@given(graphs(), st.sets(st.integers(0, 11)), st.booleans())
def test_every_stack_ends_once_and_after_what_it_needs(needs: dict[str, list[str]], bad: set[int], down: bool) -> None:
    queue = Queue.down(needs) if down else Queue(needs)
    ended: dict[str, str] = {}
    while not queue.finished:
        name = queue.ready()[0]
        before = [n for n in needs if name in needs[n]] if down else needs[name]
        assert all(ended[other] == "done" for other in before)
        queue.claim(name)
        if int(name[1:]) in bad:
            ended[name] = "failed"
            for other in queue.fail(name):
                assert other not in ended
                ended[other] = "blocked"
        else:
            ended[name] = "done"
            queue.done(name)
    assert set(ended) == set(needs)
