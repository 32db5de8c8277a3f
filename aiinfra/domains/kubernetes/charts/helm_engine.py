"""Helm's own engine, a program that the toolchain builds from Helm's Go module: pulls a chart and renders it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Final, Literal

from aiinfra.dataclass import dataclass
from aiinfra.errors import OutsideError

PROGRAM: Final = "aiinfra-helm"
LIMIT: Final = 180.0
"""Seconds for one chart, its download included; rendering takes about one."""
KUBERNETES: Final = "v1.36.3"
"""That of the lab's API servers, for a chart that asks which one it is."""
PASSED_ON: Final = (
    "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
"""The variables by which a network is reached."""
Objects = Sequence[Mapping[str, Any]]
Kind = Literal["unreachable", "absent", "invalid", "schema", "refused"]


@dataclass(frozen=True, slots=True)
class ChartRequest:
    """A chart, and the release that it is rendered for."""

    chart: str
    version: str
    repository: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""
    name: str = ""
    namespace: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    kube_version: str = KUBERNETES
    """Version of the cluster that it is rendered for."""
    api_versions: Sequence[str] = ("resource.k8s.io/v1/DeviceClass",)
    """What that cluster serves besides the groups that Helm knows."""
    save: str = ""
    """Where its archive is to be written."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What Helm says of a chart."""

    name: str
    version: str
    sha256: str
    """Of its archive; empty for a folder."""
    defaults: Mapping[str, Any]
    named: Sequence[Sequence[str]]
    """Paths of the values that templates name."""
    unknown: Sequence[Sequence[str]]
    """Paths of given values that the chart does not use."""
    objects: Objects
    """In the order in which Helm installs them."""
    hooks: Objects
    definitions: Objects
    """The CRDs of its `crds/` folders."""
    problem: Kind | None = None
    message: str = ""

    @property
    def had(self) -> bool:
        """Whether the chart itself was there."""
        return self.problem not in {"unreachable", "absent"}


def render(program: Path, asked: ChartRequest, environ: Mapping[str, str]) -> Rendered:
    """Pull and render a chart. Raises `OutsideError` `chart.helm` when the program itself fails."""
    request = {name: getattr(asked, name) for name in type(asked).__dataclass_fields__}
    passed = {key: value for key, value in environ.items() if key in PASSED_ON}
    try:
        done = subprocess.run(
            [program], input=json.dumps(request), capture_output=True, text=True, env=passed, timeout=LIMIT, check=True
        )
        answer = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise OutsideError(
            f"Helm's engine failed: {str(said).strip().splitlines()[-1]}",
            code="chart.helm",
            where=asked.chart,
            hint="aiinfra toolchain verify says what is wrong with it",
        ) from error
    return _rendered(answer)


def _rendered(answer: Mapping[str, Any]) -> Rendered:
    about, problem = answer["chart"], answer.get("problem") or {}
    return Rendered(
        name=about["name"],
        version=about["version"],
        sha256=about["sha256"],
        defaults=answer.get("defaults") or {},
        named=answer.get("named") or (),
        unknown=answer.get("unknown") or (),
        objects=answer.get("objects") or (),
        hooks=answer.get("hooks") or (),
        definitions=answer.get("crds") or (),
        problem=problem.get("kind"),
        message=problem.get("message", "").strip(),
    )
