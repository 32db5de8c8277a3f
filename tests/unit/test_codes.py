"""Every error code in the sources is listed with its meaning, and every listed one is used."""

from __future__ import annotations

import re
from pathlib import Path

from aiinfra.errors import CODES

ROOT = Path(__file__).parents[2]
USED = re.compile(r"\bcode=\"([a-z_.]+)\"|default_code = \"([a-z_.]+)\"")
ANYWHERE = re.compile(r"\"([a-z]+\.[a-z0-9_]+|bug)\"")


def sources() -> str:
    files = [path for root in ("aiinfra", "stacks") for path in sorted((ROOT / root).rglob("*.py"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in files if path != ROOT / "aiinfra" / "errors.py")


def test_every_code_that_can_be_met_is_explained() -> None:
    families = (ROOT / "aiinfra" / "errors.py").read_text(encoding="utf-8")
    met = {code for found in USED.findall(sources() + families) for code in found if code}
    assert sorted(met - set(CODES)) == []


def test_no_code_is_explained_that_nobody_uses() -> None:
    families = (ROOT / "aiinfra" / "errors.py").read_text(encoding="utf-8").partition("CODES:")[0]
    assert sorted(set(CODES) - set(ANYWHERE.findall(sources() + families))) == []
