"""Values on their way from stack to stack: what is known, unknown or secret stays so, at any depth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aiinfra.engine.host_client import OperationResult
from aiinfra.engine.programs import bind
from aiinfra.engine.values import resolver
from aiinfra.engine.wire import UNKNOWN, Secret, Tree
from aiinfra.report.run import Verb
from aiinfra.stack import Inputs, Ref, SecretSource, StackContext, StackName, StackType
from tests.integration.engine.kinds import RELAY, SINK, SOURCE
from tests.integration.engine.site import Site

pytestmark = pytest.mark.engine


def ref(stack: str, *output: str) -> Ref:
    return Ref(StackName(stack), output)


STACKS: Mapping[str, tuple[StackType[Any, Any], dict[str, Any]]] = {
    "a": (SOURCE, {"name": "dc1", "password": SecretSource("env", "PASSWORD")}),
    "b": (RELAY, {"access": ref("a"), "settings": ref("a", "settings"), "labels": {"of": ref("a", "name")}}),
    "c": (SINK, {"settings": ref("b", "settings"), "token": ref("b", "access", "token")}),
}


class Walk:
    """The three stacks, one after the other, each with the outputs of those before it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.outputs: dict[str, Mapping[str, Tree]] = {}
        self.resolve = resolver(lambda stack: self.outputs[stack], lambda source: "the-password")

    def go(self, verb: Verb) -> Mapping[str, Mapping[str, Tree]]:
        for name, (kind, inputs) in STACKS.items():
            ended = self.one(verb, name, kind, kind.inputs.model_validate(inputs))
            assert ended.error == ""
            self.outputs[name] = ended.outputs
        return self.outputs

    def one(self, verb: Verb, name: str, kind: StackType[Any, Any], inputs: Inputs) -> OperationResult:
        program = bind(kind, StackContext("site", "0123abcd", StackName(name)), inputs, self.resolve)
        return self.site.do(verb, name, program)


@pytest.fixture
def walk(site: Site) -> Walk:
    return Walk(site)


def test_a_preview_of_a_new_environment_passes_unknowns_and_secrets_and_invents_nothing(walk: Walk) -> None:
    nested: list[Tree] = [{"password": Secret("nested-secret"), "open": True}]
    settings: Tree = {"size": 3, "id": UNKNOWN, "nested": nested}
    assert walk.go(Verb.PREVIEW) == {
        "a": {"name": "dc1", "token": Secret(UNKNOWN), "settings": settings},
        "b": {"access": {"name": "dc1", "token": Secret(UNKNOWN)}, "settings": settings, "label": "dc1"},
        "c": {"settings": settings, "size": 3, "id": UNKNOWN, "sentence": "size 3 of c"},
    }
    assert not walk.site.state.exists()


def test_up_gives_the_same_with_every_value_known(walk: Walk) -> None:
    nested: list[Tree] = [{"password": Secret("nested-secret"), "open": True}]
    settings: Tree = {"size": 3, "id": "id-door", "nested": nested}
    assert walk.go(Verb.UP) == {
        "a": {"name": "dc1", "token": Secret("token-id-door"), "settings": settings},
        "b": {"access": {"name": "dc1", "token": Secret("token-id-door")}, "settings": settings, "label": "dc1"},
        "c": {"settings": settings, "size": 3, "id": "id-door", "sentence": "size 3 of c"},
    }


def test_a_preview_after_up_knows_what_the_state_knows(walk: Walk) -> None:
    made = dict(walk.go(Verb.UP))
    assert walk.go(Verb.PREVIEW) == made


def test_a_whole_record_that_is_unknown_is_a_record_of_unknowns(walk: Walk) -> None:
    walk.resolve = lambda late: UNKNOWN
    inputs = RELAY.inputs.model_validate(STACKS["b"][1])
    assert walk.one(Verb.PREVIEW, "b", RELAY, inputs).outputs == {
        "access": {"name": UNKNOWN, "token": Secret(UNKNOWN)},
        "settings": UNKNOWN,
        "label": UNKNOWN,
    }


def test_a_secret_source_is_a_secret_input(walk: Walk) -> None:
    walk.go(Verb.UP)
    door = next(
        state for state in walk.site.host.export("a")["deployment"]["resources"] if state["type"] == "engine:test:Door"
    )
    assert "ciphertext" in door["inputs"]["password"]
    assert "the-password" not in "".join(walk.site.files().values())


def test_a_program_that_returns_something_else_is_named(walk: Walk) -> None:
    wrong = StackType("wrong", "", SOURCE.inputs, RELAY.outputs, SOURCE.program)
    failed = walk.one(Verb.UP, "w", wrong, SOURCE.inputs.model_validate(STACKS["a"][1]))
    assert failed.error.endswith("wrong: its program returned Access, not Relayed; end it with Relayed.of(…)")
