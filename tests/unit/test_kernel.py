"""The kernel knows no domain: neither by an import nor by a name in its text."""

from __future__ import annotations

import re
from pathlib import Path

from aiinfra.catalog import domains
from aiinfra.domain import load

PACKAGE = Path(__file__).parents[2] / "aiinfra"
FOLDERS = (
    "cli",
    "config",
    "engine",
    "lab",
    "model",
    "plan",
    "providers",
    "render",
    "report",
    "session",
    "toolchain",
    "ui",
)
MODULES = ("catalog", "disk", "error_codes", "errors", "fields", "registry", "stack", "templating", "waiting", "world")


def kernel() -> list[Path]:
    found = [path for folder in FOLDERS for path in (PACKAGE / folder).rglob("*.py")]
    return sorted({*found, *(PACKAGE / f"{module}.py" for module in MODULES)})


def names() -> set[str]:
    """What only a domain may say: its name, the key of its block, its programs."""
    found = set(domains())
    for domain in domains().values():
        found |= {domain.block.key} if domain.block else set()
        found |= set(load(domain.tools)) if domain.tools else set()
    return found


COMMANDS = {
    "cli/commands.py": '"charts": Entry(',
    "cli/examples.py": '"charts',
    "cli/options.py": 'typer.Option("--charts"',
}
"""The words that a user types for packages, `charts mirror` and `--charts`, and where they may stand."""


def test_domains_have_names_to_search_for() -> None:
    assert names() >= {"kubernetes", "vsphere", "vcenter", "kwok", "etcd"}


def test_the_text_of_the_kernel_names_no_domain() -> None:
    spoken = re.compile("|".join(map(re.escape, sorted(names()))), re.IGNORECASE)
    lines = [
        f"{path.relative_to(PACKAGE)}:{number}: {line.strip()}"
        for path in kernel()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if spoken.search(line) and not line.strip().startswith(COMMANDS.get(str(path.relative_to(PACKAGE)), "\0"))
    ]
    assert lines == []
