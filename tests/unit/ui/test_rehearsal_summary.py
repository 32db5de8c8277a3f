from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from aiinfra.errors import OutsideError
from aiinfra.report.rehearsal import Act, Rehearsal
from aiinfra.report.run import RunReport, Verb
from aiinfra.ui.masking import Masker
from aiinfra.ui.rehearsal import rehearsal_json, rehearsal_text
from aiinfra.ui.rehearsal_summary import junit, markdown, write
from aiinfra.ui.terminal import Terminal


def act(name: str, seconds: float, why: str, *, passed: bool = True) -> Act:
    return Act(name, RunReport(Verb.UP, "dc1", "0" * 12, (), seconds, 0), passed, why)


REHEARSAL = Rehearsal(
    "dc1",
    (
        act("up with image-pull@nfd", 12.0, "nfd: image a|b does not exist"),
        act("up", 3.5, "every stack is up"),
        act("destroy", 0.4, "cluster: is <cut> off, the token is canary-1\x00", passed=False),
    ),
    ("cluster dc1: 2 nodes",),
    ("CUDA does not run",),
    ("guest systems: a VM has none",),
)


def test_markdown() -> None:
    assert markdown(REHEARSAL) == dedent("""\
        ## aiinfra rehearse dc1

        failed: 2 of 3 in 16 s

        | | part | result | time |
        |---|---|---|---|
        | ✅ | up with image-pull@nfd | nfd: image a\\|b does not exist | 12 s |
        | ✅ | up | every stack is up | 3.5 s |
        | ❌ | destroy | cluster: is <cut> off, the token is canary-1\x00 | 0.4 s |

        Assumed, as the file does not say:

        - cluster dc1: 2 nodes

        Simulated:

        - CUDA does not run

        Not checked in a lab:

        - guest systems: a VM has none
        """)


def test_the_terminal_and_machines_are_told_what_a_lab_does_not_check() -> None:
    lines = rehearsal_text(REHEARSAL, Terminal(width=80)).splitlines()
    assert lines[-3:] == ["Not checked in a lab:", "  guest systems: a VM has none", "failed: 2 of 3 in 16 s"]
    assert rehearsal_json(REHEARSAL)["not_checked"] == ["guest systems: a VM has none"]


def test_junit() -> None:
    assert junit(REHEARSAL) == dedent("""\
        <?xml version="1.0" encoding="utf-8"?>
        <testsuites>
          <testsuite name="aiinfra rehearse dc1" tests="3" failures="1" skipped="0" errors="0" time="15.900">
            <testcase classname="dc1" name="up with image-pull@nfd" time="12.000">
              <system-out>nfd: image a|b does not exist</system-out>
            </testcase>
            <testcase classname="dc1" name="up" time="3.500">
              <system-out>every stack is up</system-out>
            </testcase>
            <testcase classname="dc1" name="destroy" time="0.400">
              <failure type="rehearsal.failed" message="cluster: is &lt;cut&gt; off, the token is canary-1�">cluster: is &lt;cut&gt; off, the token is canary-1�</failure>
            </testcase>
          </testsuite>
        </testsuites>
        """)


def test_each_file_gets_its_form_and_no_secret(tmp_path: Path) -> None:
    paths = [tmp_path / "new" / "run.md", tmp_path / "run.xml"]
    write(paths, REHEARSAL, Masker(["canary-1"]))
    texts = [path.read_text(encoding="utf-8") for path in paths]
    assert [text.partition("\n")[0] for text in texts] == [
        "## aiinfra rehearse dc1", '<?xml version="1.0" encoding="utf-8"?>',
    ]  # fmt: skip
    assert all("canary" not in text and "the token is " in text for text in texts)


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "run.md").mkdir()
    with pytest.raises(OutsideError, match="the summary could not be written: Is a directory"):
        write([tmp_path / "run.md"], REHEARSAL, Masker([]))
