"""Charts in a folder, as `charts.mirror` reads them, and the images that they use."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from aiinfra.domain_packages import FindTool, KeptPackage, PackageReport
from aiinfra.domains.kubernetes.charts.helm_engine import PROGRAM, ChartRequest, render
from aiinfra.domains.kubernetes.charts.sources import ARCHIVE
from aiinfra.errors import OutsideError

FLAG: Final = re.compile(r"--(?:[a-z0-9-]+-)?image=(.+)")
"""As in `--acme-http01-solver-image=…` of cert-manager's controller."""
DRIVER: Final = ("nvidia.com", "driver")
"""API group and field whose image has the OS of each node behind its tag (operator_facts.os_tag)."""


def keep(report: PackageReport, folder: Path, tool: FindTool, environ: Mapping[str, str]) -> KeptPackage:
    """Write the chart of a report into a folder under the name by which a mirror is asked for it.

    Raises `OutsideError` when it cannot be written, or cannot be had any more.
    """
    asked: ChartRequest = report.source
    _, name, version = report.what.split()
    target = folder / f"{name}-{version}{ARCHIVE}"
    try:
        if Path(asked.chart).is_dir():
            target = folder / name
            if target.resolve() != Path(asked.chart).resolve():
                shutil.copytree(asked.chart, target, dirs_exist_ok=True)
        else:
            made = render(tool(PROGRAM), replace(asked, save=str(target)), environ)
            if made.problem:
                raise OutsideError(made.message, code="package.unreachable", where=report.stack)
    except OSError as error:
        raise OutsideError(
            f"{target} cannot be written: {error.strerror}", code="machine.folder", where=str(folder)
        ) from error
    return KeptPackage(target, sorted({image for obj in report.objects for image in images_of(obj)}))


def images_of(obj: Mapping[str, Any]) -> Iterator[str]:
    """Yield the images in an object: of containers, of variables and flags named `image`, of components in parts."""
    yield from _images(obj, str(obj.get("apiVersion", "")).partition("/")[0], "")


def _images(value: Any, group: str, key: str) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _images(item, group, key)
    elif isinstance(value, str) and (flag := FLAG.fullmatch(value)):
        yield flag[1]
    elif isinstance(value, Mapping):
        if value.get("enabled") is False:
            return
        yield from _own(value, group, key)
        for name, part in value.items():
            yield from _images(part, group, str(name))


def _own(value: Mapping[str, Any], group: str, key: str) -> Iterator[str]:
    image, repository, version = (value.get(name) for name in ("image", "repository", "version"))
    if isinstance(image, str) and image and repository is None and ("/" in image or ":" in image):
        yield image
    if isinstance(image, str) and repository and version:
        joint = "@" if str(version).startswith("sha256:") else ":"
        suffix = "-<os>" if (group, key) == DRIVER and joint == ":" else ""
        yield f"{repository}/{image}{joint}{version}{suffix}"
    if str(value.get("name", "")).endswith("_IMAGE") and isinstance(value.get("value"), str):
        yield value["value"]
