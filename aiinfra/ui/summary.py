"""Summaries for CI, by the file's suffix: Markdown (`.md`) for a job page, JUnit (`.xml`) for a test report."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as xml

from aiinfra.errors import ConfigError, ErrorRecord, OutsideError
from aiinfra.report.run import Outcome, RunReport, StackResult
from aiinfra.ui.durations import duration
from aiinfra.ui.masking import Masker
from aiinfra.ui.report import closing_line, drift_lines, outcome_words, reason_words

_SIGN: Mapping[Outcome, str] = {
    Outcome.CHANGED: "✅",
    Outcome.UNCHANGED: "✅",
    Outcome.DESTROYED: "✅",
    Outcome.FAILED: "❌",
    Outcome.INTERRUPTED: "❌",
    Outcome.BLOCKED: "⏸️",
    Outcome.SKIPPED: "⏭️",
    Outcome.FORGOTTEN: "⚠️",
}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def check_suffixes(paths: Sequence[Path]) -> None:
    """Check the suffixes of summary files, before anything runs. Raises `ConfigError` for one that names no format."""
    for path in paths:
        if path.suffix not in _FORMATS:
            raise ConfigError(
                "a summary file ends in .md (Markdown) or .xml (JUnit)",
                code="cli.summary_suffix",
                where=f"--summary {path}",
                hint=f"write it to {path.with_suffix('.md') if path.name else path / 'summary.md'}",
            )


def write(paths: Sequence[Path], report: RunReport, masker: Masker) -> None:
    """Write each summary of a run. Raises `OutsideError` when a file cannot be written."""
    write_each(paths, {suffix: partial(form, report) for suffix, form in _FORMATS.items()}, masker)


def write_each(paths: Sequence[Path], texts: Mapping[str, Callable[[], str]], masker: Masker) -> None:
    """Write to each path the text of its suffix. Raises `OutsideError` when a file cannot be written."""
    for path in paths:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(masker(texts[path.suffix]()), encoding="utf-8")
        except OSError as exc:
            raise OutsideError(
                f"the summary could not be written: {exc.strerror}", code="cli.summary_unwritable", where=str(path)
            ) from exc


def markdown(report: RunReport) -> str:
    """A table of the stacks, then each failure with its causes."""
    rows = (
        f"| {_SIGN[result.outcome]} | {result.stack} | {result.kind} | {cell(_words(result, report))} "
        f"| {duration(result.seconds)} |"
        for result in report.results
    )
    lines = [f"## aiinfra {report.verb.value} {report.environment}", "", closing_line(report), ""]
    lines += ["| | stack | kind | result | time |", "|---|---|---|---|---|", *rows]
    for result in report.results:
        if drift := drift_lines(result):
            lines += ["", drift[0], "", *(f"- {line.strip()}" for line in drift[1:])]
        if result.error is not None:
            lines += _failure(f"{result.stack} failed", result.error, result.causes)
    for error in report.errors:
        lines += _failure(error.where or "The run", error, ())
    if report.simulated:
        lines += ["", "Simulated:", "", *(f"- {sentence}" for sentence in report.simulated)]
    return "\n".join(lines) + "\n"


def _failure(title: str, error: ErrorRecord, causes: Sequence[str]) -> list[str]:
    text = [error.message, *(f"← {cause}" for cause in causes)]
    text += [f"→ {error.hint}"] if error.hint else []
    return ["", f"### {title}", "", "```text", *(line.replace("```", "'''") for line in text), "```", f"`{error.code}`"]


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def junit(report: RunReport) -> str:
    """One suite; one test case a stack; failures that belong to no stack are a case of their own."""
    suite = xml.Element("testsuite", name=f"aiinfra {report.verb.value} {report.environment}")
    for result in report.results:
        _case(suite, report, result)
    for error in report.errors:
        case = xml.SubElement(suite, "testcase", classname=report.environment, name=error.where or error.code, time="0")
        _fail(case, error, ())
    return document(suite, report.seconds)


def document(suite: xml.Element, seconds: float) -> str:
    """The JUnit file of one suite, its cases counted."""
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")):
        suite.set(name, str(len(list(suite.iter(tag)))))
    suite.set("errors", "0")
    suite.set("time", f"{seconds:.3f}")
    suites = xml.Element("testsuites")
    suites.append(suite)
    xml.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + xml.tostring(suites, encoding="unicode") + "\n"


def _case(suite: xml.Element, report: RunReport, result: StackResult) -> None:
    case = xml.SubElement(
        suite,
        "testcase",
        classname=f"{report.environment}.{result.kind}",
        name=result.stack,
        time=f"{result.seconds:.3f}",
    )
    if result.outcome in (Outcome.BLOCKED, Outcome.SKIPPED, Outcome.FORGOTTEN):
        xml.SubElement(case, "skipped", message=clean(_reason(result, report)))
    elif result.outcome in (Outcome.FAILED, Outcome.INTERRUPTED):
        _fail(case, result.error or ErrorRecord("step.failed", result.stack, _reason(result, report)), result.causes)
    else:
        xml.SubElement(case, "system-out").text = clean("\n".join((_words(result, report), *result.drift)))


def _words(result: StackResult, report: RunReport) -> str:
    return outcome_words(result, report.verb, report.environment, report.ended_at)


def _reason(result: StackResult, report: RunReport) -> str:
    return reason_words(result, report.environment, report.ended_at)


def _fail(case: xml.Element, error: ErrorRecord, causes: Sequence[str]) -> None:
    failure = xml.SubElement(case, "failure", type=error.code, message=clean(error.message))
    hint = (f"→ {error.hint}",) if error.hint else ()
    failure.text = clean("\n".join((error.message, *(f"← {cause}" for cause in causes), *hint)))


def clean(text: str) -> str:
    return _NOT_XML.sub("�", text)


_FORMATS: Mapping[str, Callable[[RunReport], str]] = {".md": markdown, ".xml": junit}
