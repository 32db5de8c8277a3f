"""Summaries of a rehearsal for CI: Markdown for a job page, JUnit for a test report.

A case is one part of the rehearsal: a stack that fails by the fault that was asked for is no failure of the rehearsal.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as xml

from aiinfra.report.rehearsal import Rehearsal
from aiinfra.ui.durations import duration
from aiinfra.ui.masking import Masker
from aiinfra.ui.rehearsal import verdict
from aiinfra.ui.summary import cell, clean, document, write_each


def write(paths: Sequence[Path], rehearsal: Rehearsal, masker: Masker) -> None:
    """Write each summary. Raises `OutsideError` when a file cannot be written."""
    write_each(paths, {".md": partial(markdown, rehearsal), ".xml": partial(junit, rehearsal)}, masker)


def markdown(rehearsal: Rehearsal) -> str:
    """A table of the parts, then what was assumed, what was simulated and what was not checked."""
    rows = (
        f"| {'✅' if act.passed else '❌'} | {cell(act.name)} | {cell(act.why)} | {duration(act.report.seconds)} |"
        for act in rehearsal.acts
    )
    lines = [f"## aiinfra rehearse {rehearsal.environment}", "", verdict(rehearsal, _seconds(rehearsal)), ""]
    lines += ["| | part | result | time |", "|---|---|---|---|", *rows]
    lines += _list_lines("What it installs, and who judged it before:", rehearsal.packages)
    lines += _list_lines("Assumed, as the file does not say:", rehearsal.assumed)
    lines += _list_lines("Simulated:", rehearsal.simulated)
    lines += _list_lines("Not checked in a lab:", rehearsal.not_checked)
    return "\n".join(lines) + "\n"


def _list_lines(title: str, sentences: Sequence[str]) -> list[str]:
    return ["", title, "", *(f"- {sentence}" for sentence in sentences)] if sentences else []


def junit(rehearsal: Rehearsal) -> str:
    """One suite; one test case a part."""
    suite = xml.Element("testsuite", name=f"aiinfra rehearse {rehearsal.environment}")
    for act in rehearsal.acts:
        case = xml.SubElement(
            suite, "testcase", classname=rehearsal.environment, name=act.name, time=f"{act.report.seconds:.3f}"
        )
        if act.passed:
            xml.SubElement(case, "system-out").text = clean(act.why)
        else:
            xml.SubElement(case, "failure", type="rehearsal.failed", message=clean(act.why)).text = clean(act.why)
    return document(suite, _seconds(rehearsal))


def _seconds(rehearsal: Rehearsal) -> float:
    return sum(act.report.seconds for act in rehearsal.acts)
