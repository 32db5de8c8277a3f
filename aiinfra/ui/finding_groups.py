"""Findings that several hosts or cards share, as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from aiinfra.stack import Finding

FindingGroup = tuple[str, str, Finding]
"""The subject, what it is about, and the finding."""
MOST = 4
"""Names in one sentence."""


def group_findings(examined: Iterable[tuple[str, Finding]]) -> list[FindingGroup]:
    """Return the findings in order; those that differ only in the host or the card are one group."""
    groups: dict[tuple[str, Finding], list[Finding]] = {}
    for subject, finding in examined:
        same = replace(finding, about="", host="") if finding.host else finding
        groups.setdefault((subject, same), []).append(finding)
    return [(subject, _subjects(findings), findings[0]) for (subject, _), findings in groups.items()]


def _subjects(findings: Sequence[Finding]) -> str:
    if len(findings) == 1:
        return findings[0].about
    cards: dict[str, list[str]] = {}
    for finding in findings:
        cards.setdefault(finding.host or finding.about, []).append(finding.about)
    names = [about[0] if len(about) == 1 else f"{host} ({len(about)} cards)" for host, about in cards.items()]
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more
