"""What must hold of the inputs of `gpu_operator`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from aiinfra.domains.kubernetes.charts.gpu_operator.facts import CHART
from aiinfra.domains.kubernetes.charts.judging import Loc, superseded, violations
from aiinfra.domains.kubernetes.charts.sources import used_files
from aiinfra.domains.kubernetes.needs import ClusterNeed
from aiinfra.stack import Ref, StackName, Surroundings, Violation
from stacks.gpu_operator.spec import Driver, GpuOperatorInputs
from stacks.gpu_operator.values import FIELDS, chart_values, driver_sent, field_values, mig_strategy

OS_SUFFIX = re.compile(r"-(ubuntu|rhel|rhcos|rocky|ol|sles|debian)[0-9.]*$")


class Checks:
    def rules(self, inputs: GpuOperatorInputs) -> Iterator[Violation]:
        if not inputs.version.startswith("v"):
            yield Violation(("version",), f"{inputs.version} lacks its leading v", f"write v{inputs.version}")
        yield from _driver(inputs.driver)
        yield from _driver_by_values(inputs)
        yield from _nfd(inputs)
        config = "device-plugin" if inputs.sharing.time_slicing else ""
        made, sent = field_values(inputs, config), chart_values(inputs, config)
        yield from violations(CHART, inputs, FIELDS, made, sent)
        if inputs.sharing.time_slicing and mig_strategy(inputs) == "mixed":
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

    def superseded(self, inputs: GpuOperatorInputs) -> Mapping[Loc, Loc]:
        return superseded(FIELDS, inputs)

    def files(self, inputs: GpuOperatorInputs, base: Path) -> Iterator[tuple[tuple[str, ...], Path]]:
        return used_files(CHART, inputs, base)

    def lab_needs(self, inputs: GpuOperatorInputs, around: Surroundings) -> Iterator[ClusterNeed]:
        cluster = inputs.cluster.stack if isinstance(inputs.cluster, Ref) else None
        yield ClusterNeed(cluster, gpu_nodes=1, gpus_per_node=1)


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


def _driver_by_values(inputs: GpuOperatorInputs) -> Iterator[Violation]:
    """Yield what the rules say of the driver as the chart gets it, where values alone make it so."""
    known = list(_driver(inputs.driver))
    for broken in _driver(driver_sent(inputs)):
        if broken.at != ("driver", "enabled") and broken not in known:
            yield Violation(("values", "driver"), broken.message, broken.hint)


def _nfd(inputs: GpuOperatorInputs) -> Iterator[Violation]:
    chart = inputs.values.get("nfd")
    if isinstance(chart, dict) and "enabled" in chart:
        yield Violation(("values", "nfd", "enabled"), "who labels the nodes is said by nfd", "drop it from values")
