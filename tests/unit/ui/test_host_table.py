"""What `doctor` shows of hosts."""

from __future__ import annotations

from aiinfra.stack import Finding
from aiinfra.ui.findings import findings_text
from aiinfra.ui.host_table import host_table
from aiinfra.ui.terminal import ASCII, Terminal


def found(level: str, host: str, check: str, about: str = "", hint: str = "do it") -> Finding:
    code = f"vsphere.{check}"
    return Finding(level, about or host, f"{check} read", "more", hint, "a guide", code, host)  # type: ignore[arg-type]


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


def test_checks_that_do_not_fit_stand_below() -> None:
    assert host_table(FOUND, Terminal(width=40)) == (
        "host     graphics type   passthrough\n"
        "────────────────────────────────────\n"
        "esx-01         ✓              ✗\n"
        "esx-02         ?\n"
        "\n"
        "host     ntp\n"
        "────────────\n"
        "esx-01\n"
        "esx-02    !"
    )


def test_a_narrow_terminal_cuts_no_heading() -> None:
    assert [line for line in host_table(FOUND, Terminal(width=10)).split("\n") if line.startswith("host")] == [
        "host     graphics type",
        "host     passthrough",
        "host     ntp",
    ]


def test_without_unicode() -> None:
    assert host_table(FOUND, Terminal(width=60, marks=ASCII)) == (
        "host   | graphics type | passthrough | ntp\n"
        "-------+---------------+-------------+----\n"
        "esx-01 |       +       |      x      |\n"
        "esx-02 |       ?       |             |  !"
    )


def test_no_hosts_no_table() -> None:
    assert host_table([Finding("ok", "state", "here", "to be here")], Terminal()) == ""


def told(findings: list[Finding], terminal: Terminal) -> list[str]:
    """What stands below the tables."""
    text = findings_text([("template", finding) for finding in findings], terminal)
    return text.rpartition("\n\n")[2].split("\n")


def test_what_is_not_well_is_told_below_it() -> None:
    assert told(FOUND, Terminal(width=60)) == [
        "✗ template  esx-01 0000:af:00.0: passthrough read",
        "            needed: more [a guide]",
        "? template  esx-02: graphics_type read",
        "            needed: more [a guide]",
        "! template  esx-02: ntp read",
        "            needed: more [a guide]",
        "  → do it",
        "✓ template  /dc1/vm/templates: exists",
        "3 ok, 1 warning, 1 error, 1 unknown: not ready",
    ]


def test_what_is_said_alike_of_several_is_said_once() -> None:
    hosts = [found("warning", f"esx-{number:02}", "ecc") for number in range(100)]
    cards = [found("warning", "esx-00", "mig", f"esx-00 0000:{bus}:00.0") for bus in ("3b", "af")]
    assert told(hosts + cards, Terminal()) == [
        "! template  esx-00, esx-01, esx-02, esx-03 and 96 more: ecc read",
        "            needed: more [a guide]",
        "! template  esx-00 (2 cards): mig read",
        "            needed: more [a guide]",
        "  → do it",
        "102 warnings: ready",
    ]


def test_a_terminal_breaks_lines_and_leaves_commands_whole() -> None:
    command = "  nvidia-smi -i 00000000:3B:00.0 --query-gpu=mig.mode.current --format=csv"
    hint = f"esx-01: switch MIG mode in the host's shell, as no API does\n{command}"
    assert told([found("error", "esx-01", "mig", hint=hint)], Terminal(live=True, width=50)) == [
        "✗ template  esx-01: mig read",
        "            needed: more [a guide]",
        "  → esx-01: switch MIG mode in the host's shell,",
        "    as no API does",
        f"    {command}",
        "1 error: not ready",
    ]
