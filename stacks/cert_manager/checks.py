"""What must hold of the inputs of `cert_manager`."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.domains.kubernetes.charts.cert_manager.facts import CHART
from aiinfra.domains.kubernetes.charts.stand_in_versions import not_simulated
from aiinfra.stack import StackName, Surroundings, Violation
from stacks.cert_manager.spec import CertManagerInputs


class Checks:
    def rules_around(self, name: StackName, inputs: CertManagerInputs, around: Surroundings) -> Iterator[Violation]:
        yield from not_simulated(CHART, inputs.version, name, around)
