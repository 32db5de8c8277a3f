"""Which programs there are: the engine host, and what the domains bring."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aiinfra.toolchain import TOOLS

SPY = """
import sys
from aiinfra.toolchain import TOOLS
assert TOOLS["aiinfra-engine"].name == "aiinfra-engine"
print([name for name in sys.modules if name.startswith(("aiinfra.domain", "aiinfra.catalog", "pydantic"))])
"""


def test_the_engine_host_is_found_without_asking_a_domain() -> None:
    done = subprocess.run([sys.executable, "-c", SPY], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_each_program_stands_under_its_name() -> None:
    assert {name: tool.name for name, tool in TOOLS.items()} == {name: name for name in TOOLS}


def test_a_program_that_nobody_brings_is_none() -> None:
    assert "etcdd" not in TOOLS
    with pytest.raises(KeyError):
        TOOLS["etcdd"]
