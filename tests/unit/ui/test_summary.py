from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree as xml

import pytest

from aiinfra.errors import ConfigError, ErrorRecord, OutsideError
from aiinfra.ui.masking import NOTHING, Masker
from aiinfra.ui.summary import check_suffixes, junit, markdown, write
from tests.unit.ui.story import OPERATOR, REPORT


def test_markdown_has_a_table_and_every_failure_in_full() -> None:
    assert markdown(REPORT) == dedent("""\
        ## aiinfra up lab

        lab · 1 unchanged, 1 done, 1 failed, 1 left as it was · 6m52

        | | stack | kind | result | time |
        |---|---|---|---|---|
        | ✅ | cluster | existing_cluster | unchanged (last seen 2 h ago) | 0.0 s |
        | ✅ | nfd | nfd | 3 created | 38 s |
        | ❌ | gpu-operator | gpu_operator | failed | 6m12 |
        | ⏸️ | gpu-proof | gpu_proof | left as it was (gpu-operator failed) | 0.0 s |

        ### gpu-operator failed

        ```text
        ClusterPolicy cluster-policy is not ready
        ← nvidia-driver-daemonset on gpu-0: ImagePullBackOff
        ← image nvcr.io/nvidia/driver:580 for kernel 5.14.0-570 does not exist
        → set driver.version to one that has an image for this kernel, or use precompiled drivers
        ```
        `kube.not_ready`

        Simulated:

        - CUDA does not run
        """)


def test_junit_counts_stacks_failures_and_skips() -> None:
    suite = xml.fromstring(junit(REPORT)).find("testsuite")
    assert suite is not None
    assert [suite.get(name) for name in ("tests", "failures", "skipped", "errors")] == ["4", "1", "1", "0"]
    assert [case.get("name") for case in suite] == ["cluster", "nfd", "gpu-operator", "gpu-proof"]
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("type") == "kube.not_ready"
    assert failure.text is not None
    assert "← image nvcr.io/nvidia/driver:580 for kernel 5.14.0-570 does not exist" in failure.text


def test_a_failure_that_belongs_to_no_stack_is_a_case_of_its_own() -> None:
    left = ErrorRecord("destroy.left_behind", "cluster", "Namespace gpu-operator is still there")
    suites = xml.fromstring(junit(replace(REPORT, results=(), errors=(left,))))
    assert [case.get("name") for case in suites.iter("testcase")] == ["cluster"]
    assert len(list(suites.iter("failure"))) == 1


def test_junit_survives_signs_that_xml_cannot_hold() -> None:
    broken = replace(OPERATOR, error=ErrorRecord("step.failed", "x", "said \x00\x1b[31m<&>"))
    failure = xml.fromstring(junit(replace(REPORT, results=(broken,)))).find(".//failure")
    assert failure is not None
    assert failure.get("message") == "said ��[31m<&>"


def test_a_suffix_that_names_no_format_is_refused_before_the_run() -> None:
    with pytest.raises(ConfigError) as caught:
        check_suffixes([Path("out.md"), Path("out.html")])
    record = caught.value.record
    assert (record.where, record.message) == (
        "--summary out.html",
        "a summary file ends in .md (Markdown) or .xml (JUnit)",
    )


def test_summaries_are_written_masked_into_new_folders(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "up.md"
    write([path], REPORT, Masker(["ImagePullBackOff"]))
    assert "on gpu-0: <secret>" in path.read_text(encoding="utf-8")


def test_a_summary_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutsideError, match="the summary could not be written: File exists") as caught:
        write([tmp_path / "file" / "up.md"], REPORT, NOTHING)
    assert caught.value.record.where == str(tmp_path / "file" / "up.md")
