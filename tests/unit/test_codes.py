"""Every error code in the sources is listed with its meaning, and every listed one is used."""

from __future__ import annotations

import re
from pathlib import Path

from aiinfra.error_codes import CODES

ROOT = Path(__file__).parents[2]
USED = re.compile(r"\bcode=\"([a-z_.]+)\"|default_code = \"([a-z_.]+)\"")
ANYWHERE = re.compile(r"\"([a-z]+\.[a-z0-9_]+|bug)\"")


def sources() -> str:
    """All of them but the list itself."""
    files = [path for root in ("aiinfra", "stacks") for path in sorted((ROOT / root).rglob("*.py"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in files if path.name != "error_codes.py")


def test_every_code_that_can_be_met_is_explained() -> None:
    met = {code for found in USED.findall(sources()) for code in found if code}
    assert sorted(met - set(CODES)) == []


def test_no_code_is_explained_that_nobody_uses() -> None:
    assert sorted(set(CODES) - set(ANYWHERE.findall(sources()))) == []
