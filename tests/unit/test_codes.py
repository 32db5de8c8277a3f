"""Every error code in the sources is listed with its meaning, and every listed one is used."""

from __future__ import annotations

import re
from pathlib import Path

from aiinfra.catalog import domains, error_codes
from aiinfra.domain import load
from aiinfra.error_codes import CODES

ROOT = Path(__file__).parents[2]
USED = re.compile(r"\bcode=\"([a-z_.]+)\"|default_code = \"([a-z_.]+)\"")
ANYWHERE = re.compile(r"\"([a-z]+\.[a-z0-9_]+|bug)\"")


def sources() -> str:
    """All of them but the lists themselves."""
    files = [path for root in ("aiinfra", "stacks") for path in sorted((ROOT / root).rglob("*.py"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in files if path.name != "error_codes.py")


def test_every_code_that_can_be_met_is_explained() -> None:
    met = {code for found in USED.findall(sources()) for code in found if code}
    assert sorted(met - set(error_codes())) == []


def test_no_code_is_explained_that_nobody_uses() -> None:
    assert sorted(set(error_codes()) - set(ANYWHERE.findall(sources()))) == []


def test_each_code_is_explained_in_one_place() -> None:
    lists = [CODES, *(load(domain.error_codes) for domain in domains().values())]
    codes = [code for each in lists for code in each]
    assert sorted({code for code in codes if codes.count(code) > 1}) == []


def test_the_kernel_explains_no_code_of_a_domain() -> None:
    assert [code for code in CODES if code.partition(".")[0] in ("kube", "cluster", "proof", *domains())] == []
