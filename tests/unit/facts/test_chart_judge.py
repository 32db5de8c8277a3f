"""What is said of a chart that nothing could judge, and why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aiinfra.catalog import Catalog
from aiinfra.domain_packages import Declared, PackageReport
from aiinfra.domains.kubernetes.charts.judge import RELEASE, judge
from aiinfra.engine.wire import UNKNOWN, Tree
from aiinfra.errors import OutsideError
from aiinfra.plan.planner import Step
from aiinfra.session.packages import lost_error
from aiinfra.stack import StackName
from stacks.nfd.spec import NfdInputs

CHART = {"chart": "nfd", "version": "0.19.0", "repositoryOpts": {"repo": "https://corp"}, "values": {"a": 1}}


def no_helm(name: str) -> Path:
    raise OutsideError(f"{name} is not built here", hint=f"aiinfra toolchain install {name} builds it")


def reported(**changes: Tree) -> PackageReport:
    kind = Catalog.installed()["nfd"]
    fields: dict[str, Any] = {"chart": "", "charts": None}
    step = Step(StackName("nfd"), kind, NfdInputs.model_construct(**fields), frozenset())
    (report,) = judge(step, [Declared(RELEASE, "nfd", {**CHART, **changes})], no_helm, {})
    return report


def test_without_helm_it_is_said_how_helm_is_had() -> None:
    report = reported()

    assert str(report) == (
        "nfd: stand-in for the chart nfd 0.19.0: aiinfra-helm is not built here "
        "(aiinfra toolchain install aiinfra-helm builds it)"
    )
    assert (report.real, report.lost, report.later) == (False, False, False)


@pytest.mark.parametrize(
    ("changes", "why", "later"),
    [
        ({"values": {"a": UNKNOWN}}, "its values are not known before the run", True),
        (
            {"repositoryOpts": {"repo": "https://corp", "password": UNKNOWN}},
            "the account of its source is not given on this machine",
            False,
        ),
    ],
)
def test_what_is_not_known_yet_is_told_from_what_is_not_given(changes: dict[str, Tree], why: str, later: bool) -> None:
    report = reported(**changes)

    assert (report.why, report.later) == (why, later)


def test_every_chart_that_cannot_be_had_is_named() -> None:
    one = replace(reported(), lost=True, why="connection refused")
    other = replace(one, stack=StackName("cm"), what="chart cert-manager v1", lost=False, why="no Helm")

    assert str(lost_error([one], "")) == "chart nfd 0.19.0 cannot be had: connection refused"
    assert str(lost_error([one, other], "")) == (
        "nfd: chart nfd 0.19.0 cannot be had: connection refused; cm: chart cert-manager v1 cannot be judged: no Helm"
    )
