"""What must hold of the inputs of `gpu_operator`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aiinfra.domains.kubernetes.charts.gpu_operator.facts import CHART
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import IMAGES
from aiinfra.domains.kubernetes.charts.judging import Loc, superseded, violations
from aiinfra.domains.kubernetes.charts.sources import used_files
from aiinfra.domains.kubernetes.charts.stand_in_versions import not_simulated
from aiinfra.domains.kubernetes.fields import GPU_TAINT
from aiinfra.domains.kubernetes.needs import ClusterNeed, NodeTaint
from aiinfra.stack import Finding, Ref, StackName, Surroundings, UsedFile, Violation
from stacks.gpu_operator.driver_rules import of_described_nodes, of_settings
from stacks.gpu_operator.effective import effective_values
from stacks.gpu_operator.spec import Driver, GpuOperatorInputs
from stacks.gpu_operator.values import FIELDS, chart_values, field_values, mig_strategy

OS_SUFFIX = re.compile(r"-(ubuntu|rhel|rhcos|rocky|ol|sles|debian)[0-9.]*$")


class Checks:
    def rules(self, inputs: GpuOperatorInputs) -> Iterator[Violation]:
        if not inputs.version.startswith("v"):
            yield Violation(("version",), f"{inputs.version} lacks its leading v", f"write v{inputs.version}")
        yield from _driver(inputs.driver)
        yield from _nfd(inputs)
        config = "device-plugin" if inputs.sharing.time_slicing else ""
        made, sent = field_values(inputs, config), chart_values(inputs, config)
        yield from violations(CHART, inputs, FIELDS, made, sent)
        yield from _removed(inputs)
        yield from of_settings(inputs)
        if inputs.sharing.time_slicing and mig_strategy(inputs) == "mixed":
            yield Violation(
                ("sharing", "time_slicing"),
                "time-slicing of nvidia.com/gpu does nothing under mig.strategy mixed, which offers nvidia.com/mig-…",
                "set mig.strategy: single",
            )

    def questions(self, inputs: GpuOperatorInputs) -> Mapping[str, Any]:
        return {"kubernetes": True}

    def preflight(self, inputs: GpuOperatorInputs, facts: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield whether the driver can work on the nodes, `facts["kubernetes"]`."""
        from stacks.gpu_operator.preflight import findings

        return findings(inputs, facts.get("kubernetes") or {})

    def rules_around(self, name: StackName, inputs: GpuOperatorInputs, around: Surroundings) -> Iterator[Violation]:
        yield from not_simulated(CHART, inputs.version, name, around)
        yield from of_described_nodes(inputs, around)
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

    def files(self, inputs: GpuOperatorInputs, base: Path) -> Iterator[UsedFile]:
        return used_files(CHART, inputs, base)

    def lab_needs(self, inputs: GpuOperatorInputs, around: Surroundings) -> Iterator[ClusterNeed]:
        cluster = inputs.cluster.stack if isinstance(inputs.cluster, Ref) else None
        sees = effective_values(inputs)
        bare = sees["driver"].get("enabled") and sees["toolkit"].get("enabled")
        brought = "" if bare else IMAGES["driver"].version
        yield ClusterNeed(cluster, gpu_nodes=1, gpus_per_node=1, host_driver=brought, taints=_taints(inputs))


def _taints(inputs: GpuOperatorInputs) -> tuple[NodeTaint, ...]:
    """The taints that a list of tolerations in the file speaks of, but for that which every operand tolerates."""
    return tuple(
        NodeTaint(one.key, one.value, one.effect or "NoSchedule")
        for one in inputs.tolerations
        if one.key not in ("", GPU_TAINT.key)
    )


def _driver(driver: Driver) -> Iterator[Violation]:
    if found := OS_SUFFIX.search(driver.version):
        yield Violation(
            ("driver", "version"),
            f"{driver.version} carries an OS, which the operator appends itself",
            f"write {driver.version[: found.start()]}",
        )
    if not driver.enabled and driver != Driver(enabled=False):
        yield Violation(("driver", "enabled"), "the driver is disabled and configured at once", "drop the other fields")


def _removed(inputs: GpuOperatorInputs) -> Iterator[Violation]:
    """Its templates read every section without asking whether it is there."""
    for key, value in inputs.values.items():
        if value is None and isinstance(CHART.values.get(key), Mapping):
            yield Violation(("values", key), f"{key} is a map of values, and null removes all of it", "drop it")


def _nfd(inputs: GpuOperatorInputs) -> Iterator[Violation]:
    chart = inputs.values.get("nfd")
    if isinstance(chart, dict) and "enabled" in chart:
        yield Violation(("values", "nfd", "enabled"), "who labels the nodes is said by nfd", "drop it from values")
