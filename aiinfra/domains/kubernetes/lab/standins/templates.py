"""What makes the objects of a Helm release in a lab: a chart that is there for real, or a stand-in of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.lab.standins.charts.known import facts_of, manifest_of, rendered
from aiinfra.domains.kubernetes.lab.standins.charts.real import RealChart
from aiinfra.domains.kubernetes.lab.standins.charts.release import Manifest, ordered
from aiinfra.providers.contract import CheckFailure


@dataclass(frozen=True, slots=True)
class Templates:
    """The charts of one cluster: `real` are those that it has for real, by name. Methods raise `StepError` for them."""

    real: Mapping[str, RealChart]

    def manifest(self, inputs: Mapping[str, Any]) -> Manifest:
        """Return what Helm would install, in its order and with its metadata."""
        chart = self._real_chart(inputs)
        return chart.manifest(inputs) if chart else manifest_of(inputs)

    def noted_objects(self, inputs: Mapping[str, Any]) -> Sequence[Object]:
        """Return what Helm notes of the objects in the release."""
        chart = self._real_chart(inputs)
        return chart.manifest(inputs).objects if chart else ordered(rendered(inputs).objects)

    def unknown_values(self, inputs: Mapping[str, Any]) -> Iterator[CheckFailure]:
        """Yield each value that the real chart of these inputs has no use for."""
        chart = self._real_chart(inputs)
        if chart is None or not {"name", "namespace"} <= inputs.keys():
            return
        for path in chart.unknown_values(inputs):
            yield CheckFailure(f"values.{path}", f"the real chart has no use for {path}")

    def _real_chart(self, inputs: Mapping[str, Any]) -> RealChart | None:
        facts = facts_of(inputs)
        return self.real.get(facts.name) if facts else None
