from aiinfra.engine.events import Event, ResourceChanged, StackStarted, Waiting
from aiinfra.ui.progress import Phase, Progress, StackProgress, activity_words, advance, heartbeats
from tests.unit.ui.story import CLUSTER, DAEMONSET, OPERATOR, REPORT, at, failing_up, started


def after(*events: Event) -> Progress:
    progress = Progress()
    for event in events:
        progress = advance(progress, event)
    return progress


def operator(*events: Event) -> StackProgress:
    return after(started(), StackStarted("gpu-operator", "gpu_operator", at(0)), *events).of("gpu-operator")


def creating(name: str, state: str, seconds: float) -> ResourceChanged:
    return ResourceChanged("gpu-operator", "aiinfra:kubernetes:Bundle", name, "create", state, at(seconds))


def test_a_run_starts_with_all_its_stacks_waiting() -> None:
    progress = after(started())
    assert [(stack.name, stack.phase) for stack in progress.stacks.values()] == [
        ("cluster", Phase.WAITING),
        ("nfd", Phase.WAITING),
        ("gpu-operator", Phase.WAITING),
        ("gpu-proof", Phase.WAITING),
    ]


def test_a_whole_run_ends_with_its_results_and_report() -> None:
    progress = after(*failing_up())
    assert progress.stacks["cluster"].result == CLUSTER
    assert progress.stacks["gpu-operator"].result == OPERATOR
    assert {stack.phase for stack in progress.stacks.values()} == {Phase.ENDED}
    assert progress.report == REPORT


def test_a_stack_that_started_no_longer_waits_for_others() -> None:
    assert operator().waits_for == ()


def test_what_is_awaited_grows_older_between_two_heartbeats() -> None:
    stack = operator(Waiting("gpu-operator", DAEMONSET, 90, 240, at(100)))
    assert stack.awaited is not None
    assert stack.awaited.seconds(at(130)) == 120


def test_resources_under_way_are_named_until_they_are_done() -> None:
    stack = operator(creating("a", "started", 1), creating("b", "started", 1), creating("c", "started", 1))
    assert activity_words(stack) == "creating Bundle a and 2 more"
    stack = operator(creating("a", "started", 1), creating("b", "started", 1), creating("a", "done", 2))
    assert (activity_words(stack), stack.last, stack.finished) == ("creating Bundle b", "created Bundle a", 1)


def test_a_resource_that_stayed_as_it_was_is_no_news() -> None:
    same = ResourceChanged("gpu-operator", "aiinfra:kubernetes:Bundle", "a", "same", "done", at(2))
    assert (operator(same).last, operator(same).finished) == ("", 0)


def test_the_elapsed_time_stands_still_when_the_stack_ended() -> None:
    assert operator().elapsed(at(60)) == 60
    assert after(*failing_up()).of("gpu-operator").elapsed(at(9999)) == 372


def test_a_running_stack_that_is_silent_gets_a_heartbeat_that_says_what_it_is_at() -> None:
    progress = after(started(), StackStarted("gpu-operator", "gpu_operator", at(0)), creating("crds", "started", 2))
    assert list(heartbeats(progress, at(31), silence=30)) == []
    assert list(heartbeats(progress, at(33), silence=30)) == [
        Waiting("gpu-operator", "Bundle crds to be created", 33, None, at(33))
    ]


def test_a_heartbeat_repeats_what_is_awaited_with_its_age() -> None:
    progress = after(
        started(),
        StackStarted("gpu-operator", "gpu_operator", at(0)),
        Waiting("gpu-operator", DAEMONSET, 5, 240, at(10)),
    )
    assert list(heartbeats(progress, at(50), silence=30)) == [Waiting("gpu-operator", DAEMONSET, 45, 240, at(50))]


def test_stacks_that_wait_or_ended_get_no_heartbeat() -> None:
    assert list(heartbeats(after(*failing_up()), at(9999), silence=30)) == []
