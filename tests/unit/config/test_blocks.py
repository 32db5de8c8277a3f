"""A file has the blocks of the domains that are installed, and pays for those that it has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from aiinfra.config.check import top_level_keys
from tests.unit.site import GOOD, Site

ROOT = Path(__file__).parents[3]
SPY = """
import sys
from aiinfra.__main__ import main
sys.argv = ["aiinfra", "validate", sys.argv[1]]
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print([name for name in sys.modules if name.startswith("aiinfra.domains.") and name.endswith(".block")])
"""


def test_blocks_stand_between_the_state_and_the_lab() -> None:
    assert top_level_keys() == ["version", "name", "target", "state", "charts", "vcenter", "lab", "stacks"]


def test_an_unknown_key_may_be_meant_for_a_block(site: Site) -> None:
    site.write("site.yaml", GOOD + "vcentre: {host: vc}\n")
    assert site.says() == ["site.yaml:9:1: vcentre: no such key here (did you mean vcenter?)"]


def test_the_field_that_holds_the_blocks_is_no_key_of_the_file(site: Site) -> None:
    site.write("site.yaml", GOOD + "blocks: {}\n")
    assert site.says() == [
        "site.yaml:9:1: blocks: no such key here (known are charts, lab, name, stacks, state, target, vcenter, version)"
    ]


def test_a_block_of_nothing_is_none(site: Site) -> None:
    site.write("site.yaml", GOOD + "vcenter: null\n")
    assert site.load().environment.blocks == {}


def test_the_model_of_a_block_is_loaded_for_a_file_that_needs_it() -> None:
    def loaded(example: str) -> str:
        command = [sys.executable, "-c", SPY, str(ROOT / "examples" / f"{example}.yaml")]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()[-1]

    assert loaded("small") == "['aiinfra.domains.kubernetes.charts.block']"
    assert loaded("vsphere") == "['aiinfra.domains.vsphere.block']"
