"""How sure a plan is of each stack: by what the file says, what kinds say, and what earlier runs left."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from aiinfra.catalog import Catalog
from aiinfra.config import load_environment
from aiinfra.plan.certainty import NO_HISTORY, History, certainties, critical_path
from aiinfra.plan.planner import Plan
from aiinfra.stack import SECRET, Input, Inputs, Linked, Outputs, StackType
from aiinfra.ui.plan import path_text
from tests.unit.site import a_world


class Site(Outputs):
    token: Annotated[Input[str], SECRET]
    id: Input[str]
    zone: Input[str]


class SiteTaken(Inputs):
    zone: Input[str] = "north"


class AppTaken(Inputs):
    site: Linked[Site]
    name: Input[str] = "app"


class AppGiven(Outputs):
    name: Input[str]


class Taken(Inputs):
    name: Input[str] = ""


SITE: StackType[Any, Any] = StackType("site", "", SiteTaken, Site, "none:none", known_outputs=("zone",))
APP: StackType[Any, Any] = StackType(
    "app", "", AppTaken, AppGiven, "none:none", external="what its chart brings", known_outputs=("name",)
)
LEAF: StackType[Any, Any] = StackType("leaf", "", Taken, AppGiven, "none:none", known_outputs=("name",))
FILE = """\
version: v1
name: world
stacks:
  site: {kind: site}
  app: {kind: app, site: "${site}"}
  named: {kind: leaf, name: "${app.name}"}
  placed: {kind: leaf, name: "${site.id}"}
  after: {kind: leaf, name: "${placed.name}"}
  alone: {kind: leaf, depends_on: [after]}
"""


def planned(folder: Path) -> Plan:
    (folder / "world.yaml").write_text(FILE)
    return load_environment("world", world=a_world(folder), catalog=Catalog.of(SITE, APP, LEAF)).plan


def told(plan: Plan, recorded: History = NO_HISTORY) -> dict[str, str]:
    return {str(name): str(sure) for name, sure in certainties(plan, recorded).items()}


def test_on_a_fresh_environment_what_follows_from_the_file_is_known_and_the_rest_is_awaited(tmp_path: Path) -> None:
    assert told(planned(tmp_path)) == {
        "site": "exact",
        "app": "unknown until site: id",
        "named": "exact",
        "placed": "unknown until site: id",
        "after": "unknown until placed: name",
        "alone": "exact",
    }


def test_outputs_of_stacks_that_stand_are_known_and_what_others_decide_stays_likely(tmp_path: Path) -> None:
    assert told(planned(tmp_path), History(frozenset({"site"}))) == {
        "site": "exact",
        "app": "likely: what its chart brings",
        "named": "exact",
        "placed": "exact",
        "after": "exact",
        "alone": "exact",
    }


def test_the_critical_path_is_that_of_most_stacks_until_times_are_known(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    assert path_text(critical_path(plan)) == "critical path site → placed → after → alone"
    slow = History(seconds={"site": 4.0, "app": 90.0})
    assert path_text(critical_path(plan, slow)) == "critical path site → app → named, usually 1m34 without named"
