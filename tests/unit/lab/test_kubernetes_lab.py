"""Which clusters a lab must have, and which access it gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiinfra.catalog import Kind
from aiinfra.domains.kubernetes.access import ClusterAccess
from aiinfra.domains.kubernetes.lab.domain import LAB
from aiinfra.engine.wire import UNKNOWN, Secret
from aiinfra.model.environment import Environment, StackEntry
from aiinfra.plan.planner import Plan, plan
from aiinfra.stack import Input, Inputs, Outputs, Ref, SecretSource, StackName, StackType


class Asks(Inputs):
    kubeconfig: Input[str] = ""


class Makes(Inputs):
    nodes: int = 3


class Works(Inputs):
    cluster: Input[ClusterAccess]


ADOPTED: Kind = StackType(
    "adopted", "", Asks, ClusterAccess, "x:y", domains=("kubernetes",), connection=("kubeconfig",)
)
INSTALLED: Kind = StackType("installed", "", Makes, ClusterAccess, "x:y", domains=("kubernetes",))
APP: Kind = StackType("app", "", Works, Outputs, "x:y", domains=("kubernetes",))
PAPER: Kind = StackType("paper", "", Makes, Outputs, "x:y")
SMALL = {"nodes": {"cpu": {"count": 1}}}


def planned(stacks: Mapping[str, tuple[str, Mapping[str, Any]]], lab: Mapping[str, Any] | None = None) -> Plan:
    entries = {
        StackName(n): StackEntry.model_construct(kind=k, depends_on=(), inputs=i) for n, (k, i) in stacks.items()
    }
    kinds = {kind.kind: kind for kind in (ADOPTED, INSTALLED, APP, PAPER)}
    head = Environment.model_construct(version="v1", name="site", target="lab", lab=lab or {}, stacks=entries)
    return plan(head, kinds)


def test_whatever_exports_access_is_a_cluster_and_one_that_takes_access_must_be_there_before() -> None:
    made = planned({"east": ("adopted", {}), "west": ("installed", {})}, {"clusters": {"east": SMALL}})
    wanted: Any = LAB.spec(made)
    assert wanted["made_by_stacks"] == ["west"]
    assert list(wanted["clusters"]) == ["east"]
    assert wanted["clusters"]["east"]["nodes"]["cpu"]["count"] == 1


def test_a_plan_without_a_stack_in_a_cluster_wants_nothing() -> None:
    assert LAB.spec(planned({"note": ("paper", {})})) is None


def test_a_stack_works_in_the_nearest_cluster_that_it_needs() -> None:
    app = {"cluster": Ref(StackName("east"))}
    made = planned({"east": ("installed", {}), "app": ("app", app), "note": ("paper", {})})
    assert {name: list(LAB.access(made, name)) for name in made.steps} == {
        "east": ["east"],
        "app": ["east"],
        "note": [],
    }


def test_a_kubeconfig_is_unknown_until_the_lab_has_the_cluster(tmp_path: Path) -> None:
    made = planned({"east": ("adopted", {}), "west": ("adopted", {}), "north": ("installed", {})})
    home = tmp_path / "clusters" / "east"
    home.mkdir(parents=True)
    (home / "user.kubeconfig").write_text("{}")
    east, west = (SecretSource("file", f"lab kubeconfig of {name}") for name in ("east", "west"))

    before, after = LAB.connection(None, made), LAB.connection(tmp_path, made)

    assert before.inputs == after.inputs == {"east": {"kubeconfig": east}, "west": {"kubeconfig": west}}
    assert before.secrets == {east: UNKNOWN, west: UNKNOWN}
    assert after.secrets == {east: Secret("{}"), west: UNKNOWN}
