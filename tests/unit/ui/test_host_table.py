"""What `doctor` shows of hosts."""

from __future__ import annotations

from aiinfra.stack import Finding
from aiinfra.ui.findings import findings_text
from aiinfra.ui.host_table import host_table
from aiinfra.ui.terminal import ASCII, Terminal


def found(level: str, host: str, check: str, about: str = "") -> Finding:
    return Finding(level, about or host, f"{check} read", "more", "do it", "", f"vsphere.{check}", host)  # type: ignore[arg-type]


FOUND = [
    found("ok", "esx-01", "graphics_type"),
    found("ok", "esx-01", "passthrough", "esx-01 0000:3b:00.0"),
    found("error", "esx-01", "passthrough", "esx-01 0000:af:00.0"),
    found("unknown", "esx-02", "graphics_type"),
    found("warning", "esx-02", "ntp"),
    Finding("ok", "/dc1/vm/templates", "exists", "a folder"),
]


def test_a_row_a_host_and_the_worst_of_each_check() -> None:
    assert host_table(FOUND, Terminal(width=60)) == (
        "host     graphics type   passthrough   ntp\n"
        "──────────────────────────────────────────\n"
        "esx-01         ✓              ✗\n"
        "esx-02         ?                        !"
    )


def test_without_unicode() -> None:
    assert host_table(FOUND, Terminal(width=60, marks=ASCII)) == (
        "host   | graphics type | passthrough | ntp\n"
        "-------+---------------+-------------+----\n"
        "esx-01 |       +       |      x      |\n"
        "esx-02 |       ?       |             |  !"
    )


def test_no_hosts_no_table() -> None:
    assert host_table([Finding("ok", "state", "here", "to be here")], Terminal()) == ""


def test_what_is_not_well_is_told_below_it() -> None:
    text = findings_text([("template", finding) for finding in FOUND], Terminal(width=60))
    assert text.split("\n")[6:] == [
        "✗  template  esx-01 0000:af:00.0  passthrough read    needed: more",
        "?  template  esx-02               graphics_type read  needed: more",
        "!  template  esx-02               ntp read            needed: more",
        "  → do it",
        "✓  template  /dc1/vm/templates    exists",
        "3 ok, 1 warning, 1 error, 1 unknown: not ready",
    ]
