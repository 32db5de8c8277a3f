"""Where the chart of a stack comes from: its `chart:`, the file's mirror, or the chart's official source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.block import NOTHING, REMOTE, ChartSources, Credentials, Images, wrong_place
from aiinfra.domains.kubernetes.charts.chart_facts import ChartFacts
from aiinfra.stack import UsedFile, UsesFiles, Violation

if TYPE_CHECKING:
    from aiinfra.plan.planner import Step

ARCHIVE: Final = ".tgz"
MIRROR: Final = ("charts", "mirror")


class TakesChart(Protocol):
    """The inputs of a kind that installs a chart."""

    @property
    def version(self) -> str: ...
    @property
    def chart(self) -> str: ...
    @property
    def charts(self) -> ChartSources | None: ...


@dataclass(frozen=True, slots=True)
class ChartSource:
    """What a Helm release is given to find its chart."""

    chart: str
    """A name in `repository`, an `oci://` reference, the URL or the path of an archive, or the path of a folder."""
    repository: str = ""
    credentials: Credentials | None = None
    ca: str = ""
    """An absolute path; empty for the system's authorities."""
    named: bool = False
    """Whether the file says where the chart comes from."""

    @property
    def local(self) -> Path | None:
        """The chart's path, when it is a file or a folder here."""
        return None if self.repository or REMOTE.match(self.chart) else Path(self.chart)

    def __str__(self) -> str:
        return f"{self.repository} {self.chart}".strip()


def chart_source(facts: ChartFacts, inputs: TakesChart, base: Path) -> ChartSource:
    """Return where a stack's chart comes from. Paths start at `base`, the folder of the environment file."""
    sources = inputs.charts or NOTHING
    named = inputs.chart or sources.mirror
    if not named:
        published = facts.references[0]
        return ChartSource(published.chart, published.repository)
    ca = str(_path(sources.ca, base)) if sources.ca else ""
    if not REMOTE.match(named):
        path = _path(named, base)
        return ChartSource(str(path if inputs.chart else _in_folder(path, facts.name, inputs.version)), named=True)
    if named.startswith("oci://"):
        place = named if inputs.chart else f"{named.rstrip('/')}/{facts.name}"
        return ChartSource(place, "", sources.credentials, ca, named=True)
    if named.endswith(ARCHIVE):
        return ChartSource(named, "", sources.credentials, ca, named=True)
    return ChartSource(facts.name, named, sources.credentials, ca, named=True)


def _path(text: str, base: Path) -> Path:
    return (base.absolute() / Path(text).expanduser()).resolve()


def _in_folder(folder: Path, name: str, version: str) -> Path:
    """The archive of a chart in a folder, as `helm pull` names it, else the chart as a folder in it."""
    archive = folder / f"{name}-{version}{ARCHIVE}"
    unpacked = folder / name
    return unpacked if unpacked.is_dir() and not archive.exists() else archive


def used_files(facts: ChartFacts, inputs: TakesChart, base: Path) -> Iterator[UsedFile]:
    """Yield the files and folders that are part of a stack's chart."""
    source = chart_source(facts, inputs, base)
    if source.local is not None:
        hint = (
            ""
            if inputs.chart
            else f"on a connected machine, aiinfra charts mirror ENV {source.local.parent} fetches it"
        )
        yield UsedFile(named_at(inputs), source.local, hint)
    if source.ca:
        yield UsedFile(("charts", "ca"), Path(source.ca))


def named_at(inputs: Any) -> tuple[str, ...]:
    """Return the input that says where the chart comes from; empty where none does."""
    if getattr(inputs, "chart", ""):
        return ("chart",)
    return MIRROR if getattr(getattr(inputs, "charts", None), "mirror", "") else ()


def source_violations(inputs: TakesChart) -> Iterator[Violation]:
    """Yield what is wrong with where a chart is said to come from."""
    if inputs.chart.startswith("oci://"):
        name, _, tag = inputs.chart.rpartition("/")[2].partition(":")
        if not name:
            yield Violation(("chart",), f"{inputs.chart} names no chart", "end it with the chart's name")
        if tag:
            yield Violation(("chart",), f"{inputs.chart} has a tag, and the version stands in version", f"drop :{tag}")
    if wrong := wrong_place(inputs.chart):
        yield Violation(("chart",), *wrong)


def to_be_mirrored(step: Step, base: Path) -> Step:
    """Return a stack as a mirror is made of it.

    A folder that lacks its chart is the mirror that is to be filled, so the chart comes from its official source.
    Images have their official names, as they are copied from there.
    """
    charts, checks = getattr(step.inputs, "charts", None), step.kind.checks
    if not isinstance(charts, ChartSources) or not isinstance(checks, UsesFiles):
        return step
    lacks = any(file.at == MIRROR and not file.path.exists() for file in checks.files(step.inputs, base))
    mirror = "" if lacks else charts.mirror
    fresh = charts.model_copy(update={"mirror": mirror, "images": Images()})
    return replace(step, inputs=step.inputs.model_copy(update={"charts": fresh}))


def local_chart(path: Path) -> tuple[str, str]:
    """Return name and version of a chart that is a folder or an archive; empty texts when it is no chart."""
    text = _metadata(path)
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, there, value = line.partition(":")
        if there and key in {"name", "version"}:
            found[key] = value.strip().strip("'\"")
    return found.get("name", ""), found.get("version", "")


def _metadata(path: Path) -> str:
    import tarfile

    try:
        if path.is_dir():
            return (path / "Chart.yaml").read_text()
        with tarfile.open(path, "r:gz") as archive:
            name = next((m for m in archive.getnames() if re.fullmatch(r"[^/]+/Chart\.yaml", m)), None)
            member = archive.extractfile(name) if name else None
            return member.read().decode() if member else ""
    except (OSError, tarfile.TarError, UnicodeDecodeError):
        return ""
