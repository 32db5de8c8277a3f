"""What must hold of the inputs of `nfd`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from aiinfra.domains.kubernetes.charts.judging import Loc, superseded, violations
from aiinfra.domains.kubernetes.charts.nfd.facts import CHART
from aiinfra.domains.kubernetes.charts.sources import used_files
from aiinfra.domains.kubernetes.charts.stand_in_versions import not_simulated
from aiinfra.stack import StackName, Surroundings, UsedFile, Violation
from stacks.nfd.labels import seen_by_gpu_operator
from stacks.nfd.spec import NfdInputs
from stacks.nfd.values import FIELDS, chart_values, field_values

GPU_CLASSES = {"03", "0300", "0302"}


class Checks:
    def rules(self, inputs: NfdInputs) -> Iterator[Violation]:
        if not seen_by_gpu_operator(inputs.label_fields):
            yield Violation(
                ("label_fields",),
                f"labels made of {', '.join(inputs.label_fields)} are not those the GPU Operator looks for",
                "use [vendor] or [class, vendor]",
            )
        if not GPU_CLASSES & set(inputs.device_classes):
            yield Violation(("device_classes",), "no class of GPUs is among them", "add 0300 and 0302")
        if inputs.version.startswith("v"):
            yield Violation(("version",), f"{inputs.version} has a leading v", f"write {inputs.version[1:]}")
        yield from violations(CHART, inputs, FIELDS, field_values(inputs), chart_values(inputs))

    def superseded(self, inputs: NfdInputs) -> Mapping[Loc, Loc]:
        return superseded(FIELDS, inputs)

    def files(self, inputs: NfdInputs, base: Path) -> Iterator[UsedFile]:
        return used_files(CHART, inputs, base)

    def rules_around(self, name: StackName, inputs: NfdInputs, around: Surroundings) -> Iterator[Violation]:
        yield from not_simulated(CHART, inputs.version, name, around)
