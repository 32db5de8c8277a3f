"""One revision of a release as Helm's storage driver writes it, so that `helm list` and `helm status` read it. Pure.

Sources: helm/helm v3 pkg/release/v1/release.go and info.go, pkg/chart/v2/metadata.go (the fields of the JSON document),
pkg/storage/driver/util.go (JSON, gzip, base64), pkg/action (the descriptions).
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.chart_facts import ChartFacts
from aiinfra.domains.kubernetes.charts.trees import with_defaults
from aiinfra.domains.kubernetes.lab.standins.charts.release import HelmRelease, Object

Document = dict[str, Any]
DESCRIPTIONS: Mapping[str, str] = {
    "pending-install": "Initial install underway",
    "pending-upgrade": "Preparing upgrade",
    "uninstalling": "Deletion in progress (or silently failed)",
}


@dataclass(frozen=True, slots=True)
class Content:
    """What a revision was made of."""

    chart: ChartFacts
    config: Mapping[str, Any]
    """The values that were given."""
    objects: Sequence[Object]
    """What the templates made of them."""


def document(release: HelmRelease, number: int, content: Content) -> Document:
    """Return a new revision, of which nothing is said yet."""
    metadata = {
        "name": content.chart.name,
        "version": content.chart.version,
        "appVersion": content.chart.app_version,
        "apiVersion": "v2",
        "description": "stand-in of a lab",
    }
    return {
        "name": release.name,
        "namespace": release.namespace,
        "version": number,
        "info": {},
        "chart": {
            "metadata": metadata,
            "lock": None,
            "templates": [],
            "values": with_defaults(content.chart.values, {}),
            "schema": None,
            "files": [],
        },
        "config": dict(content.config),
        "manifest": "".join(f"---\n{json.dumps(obj)}\n" for obj in content.objects),
    }


def with_status(before: Document, status: str, now: datetime, *, first_deployed: str = "", why: str = "") -> Document:
    """Return the revision with a new status. `why` describes it where Helm has no words of its own."""
    stamp = now.isoformat()
    info = before["info"]
    times = {
        "first_deployed": info.get("first_deployed") or first_deployed or stamp,
        "last_deployed": info.get("last_deployed") or stamp,
        "deleted": stamp if status == "uninstalling" else "",
    }
    return before | {"info": {**times, "status": status, "description": why or _description(before, status)}}


def _description(before: Document, status: str) -> str:
    if status == "deployed":
        return "Install complete" if before["version"] == 1 else "Upgrade complete"
    return DESCRIPTIONS.get(status) or str(before["info"].get("description", ""))


def encode(revision: Document) -> str:
    """Return a revision as the Secret's `data.release` holds it, which the API encodes once more."""
    packed = gzip.compress(json.dumps(revision, sort_keys=True).encode(), mtime=0)
    return base64.b64encode(base64.b64encode(packed)).decode()


def decode(stored: str) -> Document:
    raw = gzip.decompress(base64.b64decode(base64.b64decode(stored)))
    return dict(json.loads(raw))
