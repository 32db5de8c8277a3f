"""What is said alike of several hosts or cards, said once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from aiinfra.stack import Finding

FindingGroup = tuple[str, str, Finding]
"""The subject, what it is about, and the finding."""
MOST = 4
"""Names in one sentence."""


def group_findings(examined: Iterable[tuple[str, Finding]]) -> list[FindingGroup]:
    """In the order of the first of each. Findings that differ in nothing but the host or card are one."""
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
