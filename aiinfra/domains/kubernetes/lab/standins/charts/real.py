"""The chart that belongs to a real operator: Helm's engine renders it from the operator's Go module.

A release of it is applied, stored and removed by the stand-in provider, as every release of a lab. Left out are its
hooks of upgrades, whose Job would only apply the definitions that are there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.helm_engine import ChartRequest, Rendered, render
from aiinfra.domains.kubernetes.lab.cluster_files import REAL_CHARTS, cluster_home
from aiinfra.domains.kubernetes.lab.standins.charts.release import HelmRelease, Manifest, with_helm_metadata
from aiinfra.errors import OutsideError, StepError
from aiinfra.lab.record import write_atomic

IN_MODULE: Final = Path("deployments", "gpu-operator")
CLUSTER_WIDE: Final = frozenset({"Namespace", "PriorityClass", "RuntimeClass", "CustomResourceDefinition"})
"""Built-in kinds of charts that are in no namespace, besides those whose name begins with Cluster."""
DELETION: Final = {"pre-delete": "before_delete", "post-delete": "after_delete"}


@dataclass(frozen=True, slots=True)
class RealChart:
    """A chart in a folder, and the program that renders it."""

    folder: Path
    engine: Path

    def unknown_values(self, inputs: Mapping[str, Any]) -> Sequence[str]:
        """Return the paths of the given values that the chart has no use for. Raises `StepError`."""
        return [".".join(path) for path in self._rendered(inputs).unknown]

    def manifest(self, inputs: Mapping[str, Any]) -> Manifest:
        """Return what Helm would install, in its order and with its metadata. Raises `StepError`."""
        made = self._rendered(inputs)
        release = HelmRelease(str(inputs["name"]), str(inputs["namespace"]))
        scopes = {crd["spec"]["names"]["kind"]: crd["spec"]["scope"] for crd in made.definitions}

        def placed(obj: Mapping[str, Any]) -> dict[str, Any]:
            wide = obj["kind"] in CLUSTER_WIDE or obj["kind"].startswith("Cluster")
            if scopes.get(obj["kind"], "Cluster" if wide else "Namespaced") == "Namespaced":
                obj = {**obj, "metadata": {"namespace": release.namespace, **obj["metadata"]}}
            return with_helm_metadata(_without_nulls(obj), release)

        hooks: dict[str, list[dict[str, Any]]] = {}
        for obj in made.hooks:
            for event in obj["metadata"]["annotations"]["helm.sh/hook"].split(","):
                if event in DELETION:
                    hooks.setdefault(DELETION[event], []).append(placed(obj))
        crds = () if inputs.get("skipCrds") else [dict(crd) for crd in made.definitions]
        return Manifest([placed(obj) for obj in made.objects], crds, **hooks)

    def _rendered(self, inputs: Mapping[str, Any]) -> Rendered:
        given = {key: inputs.get(key) for key in ("name", "namespace", "values")}
        return _render(self.engine, self.folder, json.dumps(given, sort_keys=True))


def _without_nulls(value: Any) -> Any:
    """Leave out what templates made null: what Helm creates loses it, too (apiextensions-apiserver, prunenulls.go)."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


@lru_cache(maxsize=16)
def _render(engine: Path, folder: Path, given: str) -> Rendered:
    """Render once for each release and its values: a release is looked at several times, and a rendering takes 1 s."""
    inputs = json.loads(given)
    asked = ChartRequest(
        str(folder), "", name=inputs["name"], namespace=inputs["namespace"], values=inputs["values"] or {}
    )
    try:
        made = render(engine, asked, {})
    except OutsideError as error:
        raise StepError(str(error), code=error.record.code, hint=error.record.hint) from error
    if made.problem:
        raise StepError(f"chart {folder.name}: {made.message}", code="chart.helm")
    return made


def write_real_charts(lab: Path, cluster: str, charts: Mapping[str, RealChart]) -> None:
    """Note which charts a cluster has for real, by name."""
    noted = {name: {"folder": str(chart.folder), "engine": str(chart.engine)} for name, chart in charts.items()}
    write_atomic(cluster_home(lab, cluster) / REAL_CHARTS, json.dumps(noted))


def read_real_charts(lab: Path, cluster: str) -> Mapping[str, RealChart]:
    """Return the charts that a cluster has for real, by name; none for a cluster with stand-ins alone."""
    try:
        noted = json.loads((cluster_home(lab, cluster) / REAL_CHARTS).read_text())
    except FileNotFoundError:
        return {}
    return {name: RealChart(Path(chart["folder"]), Path(chart["engine"])) for name, chart in noted.items()}
