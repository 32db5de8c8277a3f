"""What is known of one version of one chart: where it is published, its values, its definitions, what it adds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.helm_values import ValueProblem
from aiinfra.domains.kubernetes.charts.trees import Values


@dataclass(frozen=True, slots=True)
class Reference:
    """A place where a chart is published, as a release names it."""

    chart: str
    """`oci://…`, or the chart's name in the repository."""
    repository: str = ""
    """URL of a repository that is no registry."""

    def __str__(self) -> str:
        return f"{self.repository} {self.chart}".strip()


@dataclass(frozen=True, slots=True)
class ChartFacts:
    """What is known of one version of one chart."""

    name: str
    version: str
    app_version: str
    references: Sequence[Reference]
    """Where it is published; the first is taken where a file names no place."""
    values: Values
    crds: Sequence[str]
    """Names of the CustomResourceDefinitions in its `crds/` folder, which Helm installs and never removes."""
    adds: Sequence[str]
    """What it makes, one phrase each, for readers of a rendered release."""
    images: Mapping[str, str] = field(default_factory=dict)
    """By path of a value, `driver.repository`, the registry or repository that the chart has there."""
    pull_secrets: Sequence[str] = ()
    """Paths of values that are lists of names of pull secrets."""
    pull_secret_objects: Sequence[str] = ()
    """Paths of values that are lists of `{name: …}`."""
    refuses: Callable[[Values], Iterator[ValueProblem]] | None = None
    """What the chart's own templates refuse of values with all defaults."""
    unowned: Sequence[str] = ()
    """What its programs make in its namespace and nothing owns, as patterns: `Secret cert-manager-webhook-ca`."""
