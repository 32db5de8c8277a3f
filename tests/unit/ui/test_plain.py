from dataclasses import replace
from textwrap import dedent

from aiinfra.engine.events import Diagnostic, Event, Message, ResourceChanged, RunEnded, StackEnded, StackStarted
from aiinfra.report.run import Dependent, Outcome, Reason, Shared, StackResult, Verb
from aiinfra.ui.plain import lines
from aiinfra.ui.progress import Progress, advance
from aiinfra.ui.terminal import ASCII, Terminal
from tests.unit.ui.story import NFD, OPERATOR, REPORT, at, failing_up, started

PIPE = Terminal()


def told(*events: Event, terminal: Terminal = PIPE) -> str:
    progress, said = Progress(), []
    for event in events:
        progress = advance(progress, event)
        said += lines(event, progress, terminal)
    return "\n".join(said) + "\n"


def test_a_run_reads_as_one_line_a_happening() -> None:
    assert told(*failing_up()) == dedent("""\
        up lab · 4 stacks · simulated
        cluster      | ✓ unchanged (last seen 2 h ago) · 0.0 s
        nfd          | started (nfd)
        nfd          | created Release nfd
        nfd          | waits 8.0 s for labels on 2 nodes (usually 20 s)
        nfd          | ✓ 3 created · 38 s
        gpu-operator | started (gpu_operator)
        gpu-operator | created Bundle policy
        gpu-operator | waits 1m30 for DaemonSet gpu-operator/nvidia-driver-daemonset (usually 4m)
        gpu-operator | create of Ready ready failed
        gpu-operator | ✗ failed · 6m12
        gpu-proof    | ○ left as it was (gpu-operator failed)
        ✗ gpu-operator  failed after 6m12
          ClusterPolicy cluster-policy is not ready
          ← nvidia-driver-daemonset on gpu-0: ImagePullBackOff
          ← image nvcr.io/nvidia/driver:580 for kernel 5.14.0-570 does not exist
          → set driver.version to one that has an image for this kernel, or use precompiled drivers
          code kube.not_ready · gpu-proof left as it was · exit 4

        lab · 1 unchanged, 1 done, 1 failed, 1 left as it was · 6m52
        Simulated:
          CUDA does not run
        """)


def test_a_preview_says_what_would_be_done() -> None:
    changed = ResourceChanged(
        "nfd", "kubernetes:core/v1:Namespace", "nfd", "update", "done", at(2), ("metadata.labels",)
    )
    assert told(
        started(Verb.PREVIEW, ["nfd"]), StackStarted("nfd", "nfd", at(1)), changed, StackEnded(NFD, at(3))
    ) == dedent("""\
        preview lab · 1 stack · simulated
        nfd | started (nfd)
        nfd | would update Namespace nfd (metadata.labels)
        nfd | ✓ 3 to create · 38 s
        """)


def test_warnings_are_marked_and_chatter_is_dropped() -> None:
    assert told(
        started(stacks=["nfd"]),
        Message("cleared the lock of an interrupted run", at(1), "warning"),
        Diagnostic("nfd", "info", "3 resources", at(1)),
        Diagnostic("nfd", "warning", "apiVersion v1beta1 is deprecated", at(1)),
    ) == dedent("""\
        up lab · 1 stack · simulated
        warning: cleared the lock of an interrupted run
        nfd | warning: apiVersion v1beta1 is deprecated
        """)


def test_a_destroy_ends_with_what_was_looked_at() -> None:
    report = replace(
        REPORT,
        verb=Verb.DESTROY,
        results=(),
        exit_code=0,
        seconds=41,
        simulated=(),
        nothing_left=("cluster (0 objects marked 7c41d0aa)", "lab (0 processes, 0 files)"),
    )
    assert told(RunEnded(report, at(41))) == dedent("""\
        lab · no stacks · 41 s
        Nothing left: cluster (0 objects marked 7c41d0aa), lab (0 processes, 0 files).
        """)


def test_a_destroy_tells_what_became_of_what_others_may_use() -> None:
    crd, rule = "CustomResourceDefinition", "lost with CustomResourceDefinition b"
    report = replace(
        REPORT,
        verb=Verb.DESTROY,
        results=(StackResult("nfd", "nfd", Outcome.DESTROYED, left_out=("the hook h, which did not run",)),),
        exit_code=0,
        seconds=41,
        simulated=(),
        nothing_left=("cluster (0 objects marked 7c41d0aa)",),
        dependents=[Dependent("nfd", "NodeFeatureRule r", rule), Dependent("nfd", "NodeFeatureRule s", rule)],
        shared=[
            Shared("nfd", crd, "a", removed=True),
            Shared("nfd", crd, "b", removed=True),
            Shared("nfd", crd, "c", removed=False, why="it was there before nfd"),
        ],
    )
    assert told(RunEnded(report, at(41))) == dedent("""\
        lab · 1 destroyed · 41 s
        Nothing left: cluster (0 objects marked 7c41d0aa).
        Removed with nfd: CustomResourceDefinitions a, b.
        Kept of nfd, as it was there before nfd: CustomResourceDefinition c.
        Taken along with nfd: NodeFeatureRule r, NodeFeatureRule s (lost with CustomResourceDefinition b).
        Left out: the hook h, which did not run.
        """)


def test_signs_can_be_plain_ascii_and_colour_is_never_put_in_by_itself() -> None:
    text = told(*failing_up(), terminal=Terminal(marks=ASCII))
    assert "  <- image nvcr.io/nvidia/driver:580 for kernel 5.14.0-570 does not exist\n  -> set driver.version" in text
    assert "\x1b" not in text


def test_an_error_is_told_once_also_when_the_engine_says_it_three_times() -> None:
    message = "ClusterPolicy cluster-policy is not ready"
    said = [
        Diagnostic("gpu-operator", "error", f"{message} [kube.not_ready]", at(1)),
        Diagnostic("gpu-operator", "error", "resource plugin aiinfra exited", at(1)),
        Diagnostic("gpu-operator", "error", "resource plugin aiinfra exited", at(1)),
    ]
    assert told(started(stacks=["gpu-operator"]), *said, StackEnded(OPERATOR, at(2))) == dedent("""\
        up lab · 1 stack · simulated
        gpu-operator | error: resource plugin aiinfra exited
        gpu-operator | ✗ failed · 6m12
        """)


def test_that_a_wait_was_stopped_is_told_by_the_stack_that_was_interrupted() -> None:
    stopped = StackResult("nfd", "nfd", Outcome.INTERRUPTED, 2.0, Reason.STOPPED)
    said = [
        Diagnostic("nfd", "error", "Namespace nfd: stopped while waiting [run.interrupted, transient]", at(1)),
        Diagnostic("nfd", "error", "the disk is full", at(1)),
    ]
    assert told(started(stacks=["nfd"]), *said, StackEnded(stopped, at(2))) == dedent("""\
        up lab · 1 stack · simulated
        nfd | error: the disk is full
        nfd | ✗ interrupted (stopped; what had begun is saved) · 2.0 s
        """)
