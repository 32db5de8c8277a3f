"""A strict dry run of what a real chart makes, in a simulated cluster, whose API server is real."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aiinfra.domain_packages import PackageReport
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import Conflict, KubeError
from aiinfra.stack import Violation


def trial(kubeconfig: str, cluster: str, report: PackageReport) -> PackageReport:
    """Return what the API server says of each object whose kind it serves; none is made."""
    with KubeClient.from_kubeconfig(kubeconfig) as client:
        served = [obj for obj in report.objects if client.serves(obj["apiVersion"], obj["kind"])]
        refused = list(_refusals(client, served, report.what))
    others = len(report.objects) - len(served)
    are = "is of a kind" if others == 1 else "are of kinds"
    rest = f"; {others} {are} that it does not serve yet" if others else ""
    good = f"{len(served) - len(refused)} of {len(served)} objects of the {report.what}"
    how = f"the API server of {cluster} accepts {good}"
    return PackageReport(report.stack, report.what, how + rest, real=True, problems=refused)


def _refusals(client: KubeClient, objects: list[Mapping[str, Any]], what: str) -> Iterator[Violation]:
    for obj in objects:
        try:
            client.create(_anywhere(client, obj), dry_run=True)
        except Conflict:
            continue  # the cluster has one of that name
        except KubeError as error:
            name = (obj.get("metadata") or {}).get("name", "")
            message = f"{what} makes {obj['kind']} {name}, which the API server refuses: {error.record.message}"
            yield Violation(("values",), message)


def _anywhere(client: KubeClient, obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object in a namespace that is always there."""
    namespaced = client.resource(obj["apiVersion"], obj["kind"]).namespaced
    place = {"namespace": "default"} if namespaced else {}
    return {**obj, "metadata": {**(obj.get("metadata") or {}), **place}}
