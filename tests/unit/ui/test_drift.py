"""How a refresh tells what somebody changed by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as xml

from aiinfra.report.run import Outcome, Proof, Reason, RunReport, StackResult, Verb
from aiinfra.ui.report import outcome_words, proof_words, report_text
from aiinfra.ui.summary import junit, markdown
from aiinfra.ui.terminal import Terminal

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROOF = Proof(NOW - timedelta(hours=2), simulated=False)
WHY = "the world differs; aiinfra up lab repairs it"
EDITS = ("ConfigMap nfd/conf is gone", "Deployment nfd/master: spec.replicas is 0, not 1")
NFD = StackResult("nfd", "nfd", Outcome.CHANGED, 0.4, Reason.DRIFTED, {"update": 1}, drift=EDITS)
REPORT = RunReport(Verb.REFRESH, "lab", "7c41d0aa", (NFD,), 0.4, 0)


def test_each_difference_has_a_line_of_its_own() -> None:
    assert outcome_words(NFD, Verb.REFRESH, "lab", NOW) == f"1 updated ({WHY})"
    assert report_text(REPORT, Terminal()).splitlines() == [
        "nfd differs:",
        "  ConfigMap nfd/conf is gone",
        "  Deployment nfd/master: spec.replicas is 0, not 1",
        "",
        "lab · 1 done · 0.4 s",
    ]


def test_summaries_have_them_too() -> None:
    lines = markdown(REPORT).splitlines()
    assert lines[-4:] == ["nfd differs:", "", *(f"- {edit}" for edit in EDITS)]
    told = xml.fromstring(junit(REPORT)).find("testsuite/testcase/system-out")
    assert told is not None
    assert told.text == "\n".join((f"1 updated ({WHY})", *EDITS))


def test_notes_of_what_did_not_drift_stay_with_their_stack() -> None:
    same = replace(NFD, outcome=Outcome.UNCHANGED, reason=Reason.AS_RECORDED, changes={}, drift=(), proof=PROOF)
    assert outcome_words(same, Verb.REFRESH, "lab", NOW) == "unchanged (as in the state) · proved 2 h ago"
    assert report_text(replace(REPORT, results=(same,)), Terminal()) == "lab · 1 unchanged · 0.4 s"


def test_a_proof_that_is_older_than_what_it_proves_says_so() -> None:
    old = Proof(NOW - timedelta(hours=2), simulated=True, before="gpu-operator")
    assert proof_words(old, NOW) == "proved before gpu-operator changed, 2 h ago (the CUDA run was simulated)"
