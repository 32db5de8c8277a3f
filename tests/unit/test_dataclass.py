"""Our `dataclass` does what the standard library's does."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiinfra.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Ours:
    a: int
    b: str = "b"
    c: list[int] = field(default_factory=list, compare=False)
    d: int = field(default=0, repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Standard:
    a: int
    b: str = "b"
    c: list[int] = field(default_factory=list, compare=False)
    d: int = field(default=0, repr=False)


ARGUMENTS = st.fixed_dictionaries(
    {"a": st.integers()},
    optional={"b": st.text(max_size=3), "c": st.lists(st.integers(), max_size=2), "d": st.integers(0, 1)},
)


@given(ARGUMENTS, ARGUMENTS)
def test_values_equal_hash_and_read_as_standard_ones(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (Ours(**one) == Ours(**other)) is (Standard(**one) == Standard(**other))
    assert hash(Ours(**one)) == hash(Standard(**one))
    assert repr(Ours(**one)) == repr(Standard(**one)).replace("Standard", "Ours")
    assert dataclasses.asdict(Ours(**one)) == dataclasses.asdict(Standard(**one))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one)), replace])
def test_a_value_is_copied_pickled_and_replaced(again: Callable[[Ours], Ours]) -> None:
    assert again(Ours(1, "x", [2])) == Ours(1, "x", [2])


def test_values_given_by_place_and_by_name_are_the_same() -> None:
    assert Ours(1, "x", d=3) == Ours(a=1, b="x", d=3)
    assert Ours(1).c is not Ours(1).c


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, "Ours needs a value for 'a'"),
        ((1, "b", [], 4, 5), {}, "Ours takes 4 values, and 5 were given"),
        ((1,), {"e": 2}, "Ours does not take 'e'"),
        ((1,), {"a": 2}, "Ours was given 'a' twice"),
    ],
)
def test_wrong_arguments_are_refused(args: tuple[Any, ...], kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError) as caught:
        Ours(*args, **kwargs)
    assert str(caught.value) == message


def test_a_field_that_is_not_given_starts_at_its_default() -> None:
    @dataclass(slots=True)
    class Counter:
        step: int
        count: int = field(default=3, init=False)
        seen: list[int] = field(default_factory=list, init=False)
        later: int = field(init=False)

    one = Counter(2)
    assert (one.count, one.seen) == (3, [])
    assert not hasattr(one, "later")
    with pytest.raises(TypeError):
        Counter(2, count=4)  # type: ignore[call-arg]


def test_a_frozen_value_is_not_changed() -> None:
    one: Any = Ours(1)
    with pytest.raises(FrozenInstanceError):
        one.a = 2
    with pytest.raises(FrozenInstanceError):
        del one.a
    with pytest.raises((FrozenInstanceError, AttributeError)):
        one.e = 2


def test_another_class_with_the_same_fields_is_not_equal() -> None:
    assert Ours(1) != Standard(1)


def test_what_can_change_is_not_hashed() -> None:
    @dataclass(slots=True)
    class Changing:
        a: int = 1

        def __post_init__(self) -> None:
            self.a += 1

    one = Changing()
    one.a += 1
    assert one.a == 3
    with pytest.raises(TypeError):
        hash(one)


def test_methods_of_the_class_itself_are_kept_and_subclasses_add_fields() -> None:
    @dataclass(frozen=True)
    class Base:
        """A base."""

        a: int = 1

        def __repr__(self) -> str:
            return "mine"

    @dataclass(frozen=True)
    class More(Base):
        b: int = 2

    assert (repr(Base()), repr(More(3))) == ("mine", f"{More.__qualname__}(a=3, b=2)")
    assert (Base.__doc__, More.__doc__) == ("A base.", None)
    assert More.b == 2


def test_order_is_that_of_the_fields() -> None:
    @dataclass(frozen=True, slots=True, order=True)
    class Version:
        major: int
        minor: int = 0

    assert sorted([Version(2), Version(1, 5), Version(1)]) == [Version(1), Version(1, 5), Version(2)]
    assert Version(1) <= Version(1) < Version(1, 1)
    assert Version(2) > Version(1, 9)
    assert Version(2) >= Version(2)
    with pytest.raises(TypeError):
        assert Version(1) < 2  # type: ignore[operator]


def test_matching_by_place_works() -> None:
    match Ours(7):
        case Ours(a, b):
            assert (a, b) == (7, "b")
