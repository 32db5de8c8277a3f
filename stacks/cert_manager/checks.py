"""What must hold of the inputs of `cert_manager`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aiinfra.domains.kubernetes.charts.cert_manager.facts import CHART
from aiinfra.domains.kubernetes.charts.judging import violations
from aiinfra.domains.kubernetes.charts.sources import used_files
from aiinfra.domains.kubernetes.charts.stand_in_versions import not_simulated
from aiinfra.stack import StackName, Surroundings, UsedFile, Violation
from stacks.cert_manager.spec import CertManagerInputs
from stacks.cert_manager.values import chart_values


class Checks:
    def rules(self, inputs: CertManagerInputs) -> Iterator[Violation]:
        yield from violations(CHART, inputs, {}, {}, chart_values(inputs))

    def files(self, inputs: CertManagerInputs, base: Path) -> Iterator[UsedFile]:
        return used_files(CHART, inputs, base)

    def rules_around(self, name: StackName, inputs: CertManagerInputs, around: Surroundings) -> Iterator[Violation]:
        yield from not_simulated(CHART, inputs.version, name, around)
