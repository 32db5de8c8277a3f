"""From an environment to a plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiinfra.errors import ConfigError
from aiinfra.model.environment import Environment, StackEntry
from aiinfra.plan.drawing import dot, graph, mermaid
from aiinfra.plan.planner import Plan, plan
from aiinfra.plan.selection import select
from aiinfra.stack import Ref, SecretSource, StackName
from tests.unit.kinds import CATALOG, AppTaken
from tests.unit.site import Site

FOUR = """\
version: v1
name: site
stacks:
  proof: {kind: app, cluster: "${cluster}", link: "${op}", title: "${cluster.server}"}
  op: {kind: app, cluster: "${cluster}", depends_on: [nfd]}
  nfd: {kind: app, cluster: "${cluster}", password: "${env:P}"}
  cluster: {kind: cluster}
"""


@pytest.fixture
def four(tmp_path: Path) -> Plan:
    site = Site(tmp_path)
    site.write("site.yaml", FOUR)
    return site.load().plan


def test_steps_are_in_order_with_inputs_and_needs(four: Plan) -> None:
    assert list(four.steps) == ["cluster", "nfd", "op", "proof"]
    proof = four.steps[StackName("proof")]
    assert proof.kind.kind == "app"
    assert sorted(proof.needs) == ["cluster", "op"]
    assert isinstance(proof.inputs, AppTaken)
    assert proof.inputs.title == Ref(StackName("cluster"), ("server",))
    assert proof.inputs.cluster == Ref(StackName("cluster"))
    assert four.steps[StackName("nfd")].inputs.password == SecretSource("env", "P")  # type: ignore[attr-defined]
    assert sorted(four.steps[StackName("op")].needs) == ["cluster", "nfd"]


def test_planning_again_gives_the_same(four: Plan) -> None:
    assert plan(four.environment, CATALOG) == four


def test_an_environment_made_by_hand_is_judged_by_paths() -> None:
    environment = Environment.model_construct(
        version="v1",
        name="hand",
        target="real",
        stacks={StackName("a"): StackEntry(kind="app", inputs={"cluster": Ref(StackName("b"))})},
    )
    with pytest.raises(ConfigError) as caught:
        plan(environment, CATALOG)
    assert [str(problem) for problem in caught.value.problems] == ["stacks.a.cluster: no stack is named b"]


@pytest.mark.parametrize(
    ("only", "from_", "until", "chosen"),
    [
        ([], "", "", ["cluster", "nfd", "op", "proof"]),
        (["proof", "nfd"], "", "", ["nfd", "proof"]),
        ([], "nfd", "", ["nfd", "op", "proof"]),
        ([], "", "op", ["cluster", "nfd", "op"]),
        ([], "nfd", "op", ["nfd", "op"]),
        (["proof"], "nfd", "", ["proof"]),
    ],
)
def test_a_selection(four: Plan, only: list[str], from_: str, until: str, chosen: list[str]) -> None:
    assert list(select(four, only=only, from_=from_, until=until)) == chosen


@pytest.mark.parametrize(
    ("only", "from_", "until", "says"),
    [
        (["prof"], "", "", ("--only", "no stack is named prof", "did you mean proof?")),
        ([], "x", "", ("--from", "no stack is named x", "known are cluster, nfd, op, proof")),
        ([], "proof", "nfd", ("--only, --from, --until", "these flags together choose no stack", "")),
    ],
)
def test_a_selection_that_cannot_be(
    four: Plan, only: list[str], from_: str, until: str, says: tuple[str, str, str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        select(four, only=only, from_=from_, until=until)
    record = caught.value.record
    assert (record.where, record.message, record.hint) == says


def test_mermaid(four: Plan) -> None:
    assert mermaid(four) == (
        "graph TD\n"
        '  s1["cluster<br/>cluster"]\n'
        '  s2["nfd<br/>app"]\n'
        '  s3["op<br/>app"]\n'
        '  s4["proof<br/>app"]\n'
        "  s1 --> s2\n"
        "  s1 --> s3\n"
        "  s2 -.-> s3\n"
        "  s1 --> s4\n"
        "  s3 --> s4\n"
        "  s1 -->|server| s4"
    )


def test_dot(four: Plan) -> None:
    assert dot(four).splitlines()[6:] == [
        '  "cluster" -> "nfd";',
        '  "cluster" -> "op";',
        '  "nfd" -> "op" [style=dashed];',
        '  "cluster" -> "proof";',
        '  "op" -> "proof";',
        '  "cluster" -> "proof" [label="server"];',
        "}",
    ]


def test_the_graph_for_machines(four: Plan) -> None:
    edges = graph(four)["edges"]
    assert isinstance(edges, list)
    assert edges[-1] == {"from": "cluster", "to": "proof", "output": "server", "input": "title"}
