"""Proofs of one run that need the same GPUs: whoever was disturbed comes again once the others are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from aiinfra.domains.vsphere.client.proofs import Disturbed, Proofs
from aiinfra.errors import StepError
from aiinfra.waiting import Waiter

GPU, OTHER = "/dc1/host/gpu", "/dc1/host/other"


def quick() -> Waiter:
    return Waiter(0.05, every=0.01)


def test_rivals_are_those_that_run_or_ran_in_the_cluster_since() -> None:
    proofs = Proofs()
    proofs.begin(GPU, "long ago")
    proofs.end("long ago")
    moment = proofs.now()
    proofs.begin(GPU, "ended")
    proofs.begin(GPU, "running")
    proofs.begin(OTHER, "elsewhere")
    proofs.end("ended")
    assert proofs.rivals(GPU, moment) == ["ended", "running"]
    assert proofs.rivals(OTHER, moment) == ["elsewhere"]


def test_one_that_was_not_started_disturbed_nobody() -> None:
    proofs = Proofs()
    moment = proofs.begin(GPU, "refused")
    proofs.give_up("refused")
    proofs.end("refused")
    assert proofs.rivals(GPU, moment) == []


def test_a_disturbed_attempt_is_made_again_once_the_other_has_ended() -> None:
    proofs, said = Proofs(), []
    proofs.begin(GPU, "other")

    def hear(what: str, since: float) -> None:
        said.append(what)
        proofs.end("other")

    answers: Iterator[str | Disturbed] = iter([Disturbed(["other"]), "a VM runs"])
    assert proofs.undisturbed(lambda: next(answers), lambda: Waiter(5, every=0.01, on_wait=hear)) == "a VM runs"
    assert said == ["GPUs in use by other, the proof of another template"]


def test_a_proof_that_never_ends_is_named() -> None:
    proofs = Proofs()
    proofs.begin(GPU, "/dc1/vm/x-proof")
    attempt: Callable[[], str | Disturbed] = lambda: Disturbed(["/dc1/vm/x-proof"])  # noqa: E731
    with pytest.raises(StepError) as caught:
        proofs.undisturbed(attempt, quick)
    assert str(caught.value) == (
        "after 0.05 s there were still GPUs in use by /dc1/vm/x-proof, the proof of another template"
    )
