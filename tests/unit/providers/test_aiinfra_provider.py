"""The table of our resource types: each has its handler, and none is loaded before it is asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from aiinfra.providers.aiinfra_provider import spec
from tests.conftest import KINDS

SPY = """
import sys
from aiinfra.providers.aiinfra_provider import spec
handlers = spec().resources
assert "aiinfra:test:Thing" in handlers and len(handlers) == len(list(handlers))
handlers["aiinfra:test:Thing"]
heavy = ("aiinfra.domains.kubernetes.client.client", "aiinfra.domains.vsphere.template.lifecycle", "aiinfra.domains.kubernetes.diagnosis", "pyVmomi")
sys.stdout.write(",".join(name for name in heavy if name in sys.modules))
"""


def test_every_type_has_its_handler(other_kinds: Path) -> None:
    handlers = spec().resources
    assert {token: type(handler).__name__ for token, handler in handlers.items()} == {
        token: token.rpartition(":")[2].replace("Thing", "TestThing") for token in handlers
    }
    assert all(handlers[token] is handlers[token] for token in handlers)


def test_an_unknown_type_has_none() -> None:
    assert spec().resources.get("aiinfra:test:Nothing") is None


def test_a_handler_is_loaded_when_its_first_resource_comes() -> None:
    environ = {**os.environ, "PYTHONPATH": str(KINDS)}
    done = subprocess.run([sys.executable, "-c", SPY], text=True, capture_output=True, check=False, env=environ)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
