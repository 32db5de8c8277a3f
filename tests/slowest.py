"""The files that took longest, at the end of a run: what grew is seen."""

from __future__ import annotations

from collections import defaultdict

import pytest

MOST = 10


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Lists files by the seconds that their tests took, set-up and tear-down included."""
    seconds: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid.partition("::")[0]] += report.duration
    if len(seconds) > MOST:
        terminalreporter.section(f"the {MOST} slowest files")
        for path, took in sorted(seconds.items(), key=lambda item: -item[1])[:MOST]:
            terminalreporter.write_line(f"{took:7.1f} s  {path}")
