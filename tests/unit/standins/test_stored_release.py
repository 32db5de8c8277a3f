"""A release in a lab, read as Helm's storage driver and `helm list`, `helm status` read it."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime
from typing import Any

from aiinfra.domains.kubernetes.charts.gpu_operator.facts import CHART
from aiinfra.domains.kubernetes.lab.standins.charts.release import HelmRelease
from aiinfra.domains.kubernetes.lab.standins.stored_release import Content, decode, document, encode, with_status

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
OBJECT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
CONTENT = Content(CHART, {"psa": {"enabled": True}}, [OBJECT])


def a_release(number: int = 1) -> dict[str, Any]:
    return document(HelmRelease("gpu-operator", "gpu"), number, CONTENT)


def as_helm_reads_it(stored: str) -> Any:
    """The API decodes a Secret's data once; then helm/helm pkg/storage/driver/util.go `decodeRelease`."""
    raw = base64.b64decode(base64.b64decode(stored))
    assert raw[:3] == b"\x1f\x8b\x08"
    return json.loads(gzip.decompress(raw))


def test_what_helm_list_prints_is_there() -> None:
    found = as_helm_reads_it(encode(with_status(a_release(), "deployed", NOW)))
    chart = found["chart"]["metadata"]
    assert (found["name"], found["namespace"], found["version"]) == ("gpu-operator", "gpu", 1)
    assert (found["info"]["status"], found["info"]["last_deployed"]) == ("deployed", "2026-11-22T12:00:00+00:00")
    assert (chart["name"], chart["version"], chart["appVersion"]) == ("gpu-operator", "v26.7.0", "v26.7.0")
    assert found["info"]["description"] == "Install complete"


def test_the_values_that_were_given_and_those_of_the_chart_are_there() -> None:
    found = as_helm_reads_it(encode(with_status(a_release(), "deployed", NOW)))
    assert found["config"] == {"psa": {"enabled": True}}
    assert found["chart"]["values"]["psa"] == {"enabled": False}
    assert '"kind": "ConfigMap"' in found["manifest"]


def test_an_upgrade_keeps_the_time_of_the_first_deployment() -> None:
    told = with_status(a_release(2), "deployed", LATER, first_deployed="2026-11-22T12:00:00+00:00")["info"]
    assert (told["first_deployed"], told["last_deployed"]) == ("2026-11-22T12:00:00+00:00", "2026-11-23T12:00:00+00:00")
    assert told["description"] == "Upgrade complete"


def test_a_status_that_changes_changes_in_the_document_too() -> None:
    deployed = decode(encode(with_status(a_release(), "deployed", NOW)))
    assert with_status(deployed, "superseded", LATER)["info"] == {
        "first_deployed": "2026-11-22T12:00:00+00:00",
        "last_deployed": "2026-11-22T12:00:00+00:00",
        "deleted": "",
        "status": "superseded",
        "description": "Install complete",
    }
    gone = with_status(deployed, "uninstalling", LATER)["info"]
    assert (gone["status"], gone["deleted"]) == ("uninstalling", "2026-11-23T12:00:00+00:00")


def test_a_failed_release_says_why() -> None:
    told = with_status(a_release(), "failed", NOW, why="no CRD came")["info"]
    assert (told["status"], told["description"]) == ("failed", "no CRD came")
