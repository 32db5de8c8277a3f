"""What must hold of the inputs of `gpu_operator`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiinfra.domains.kubernetes.charts.gpu_operator.facts import CHART
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import OPERATOR_DEPLOYMENT
from aiinfra.domains.kubernetes.charts.helm_values import problems
from aiinfra.domains.kubernetes.needs import ClusterNeed, OperatorNeed
from aiinfra.stack import Ref, StackName, Surroundings, Violation
from stacks.gpu_operator.spec import Driver, GpuOperatorInputs

OS_SUFFIX = re.compile(r"-(ubuntu|rhel|rhcos|rocky|ol|sles|debian)[0-9.]*$")


class Checks:
    def rules(self, inputs: GpuOperatorInputs) -> Iterator[Violation]:
        if not inputs.version.startswith("v"):
            yield Violation(("version",), f"{inputs.version} lacks its leading v", f"write v{inputs.version}")
        yield from _driver(inputs.driver)
        yield from _nfd(inputs)
        yield from _values(inputs)
        if inputs.sharing.time_slicing and inputs.mig.strategy == "mixed":
            yield Violation(
                ("sharing", "time_slicing"),
                "time-slicing of nvidia.com/gpu does nothing under mig.strategy mixed, which offers nvidia.com/mig-…",
                "set mig.strategy: single",
            )

    def rules_around(self, name: StackName, inputs: GpuOperatorInputs, around: Surroundings) -> Iterator[Violation]:
        if inputs.nfd != "bundled":
            return
        for other, (kind, theirs) in around.stacks.items():
            if kind == "nfd" and getattr(theirs, "cluster", None) == inputs.cluster:
                yield Violation(
                    ("nfd",),
                    f"bundled NFD and the stack {other} would both label the nodes of {inputs.cluster}",
                    f"write nfd: ${{{other}}}, or drop the stack {other}",
                )

    def lab_needs(self, inputs: GpuOperatorInputs, around: Surroundings) -> Iterator[ClusterNeed | OperatorNeed]:
        cluster = inputs.cluster.stack if isinstance(inputs.cluster, Ref) else None
        yield ClusterNeed(cluster, gpu_nodes=1, gpus_per_node=1)
        for name in (name for name, (_, theirs) in around.stacks.items() if theirs is inputs):
            yield OperatorNeed(cluster, name, OPERATOR_DEPLOYMENT, inputs.version)


def _driver(driver: Driver) -> Iterator[Violation]:
    if found := OS_SUFFIX.search(driver.version):
        yield Violation(
            ("driver", "version"),
            f"{driver.version} carries an OS, which the operator appends itself",
            f"write {driver.version[: found.start()]}",
        )
    if driver.precompiled and "." in driver.version:
        yield Violation(
            ("driver", "version"),
            f"precompiled drivers are chosen by branch, not by {driver.version}",
            f'write "{driver.version.partition(".")[0]}"',
        )
    if not driver.enabled and driver != Driver(enabled=False):
        yield Violation(("driver", "enabled"), "the driver is disabled and configured at once", "drop the other fields")


def _values(inputs: GpuOperatorInputs) -> Iterator[Violation]:
    """Helm drops values that a chart does not know; only the version that we know can be judged."""
    if inputs.version == CHART.version:
        for problem in problems(CHART.values, inputs.values):
            message = f"chart {CHART.name} {CHART.version}: {problem.message}"
            yield Violation(("values", *problem.path), message, problem.hint)


def _nfd(inputs: GpuOperatorInputs) -> Iterator[Violation]:
    chart = inputs.values.get("nfd")
    if isinstance(chart, dict) and "enabled" in chart:
        yield Violation(("values", "nfd", "enabled"), "who labels the nodes is said by nfd", "drop it from values")
