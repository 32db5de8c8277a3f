from textwrap import dedent

from aiinfra.engine.events import StackStarted
from aiinfra.ui.live import final_lines, table_lines
from aiinfra.ui.progress import Progress, advance
from aiinfra.ui.tables import width
from aiinfra.ui.terminal import Terminal
from tests.unit.ui.story import at, failing_up, started


def half_way() -> Progress:
    progress = Progress()
    for event in failing_up()[:16]:
        progress = advance(progress, event)
    return progress


def test_the_table_shows_what_is_awaited_and_since_when() -> None:
    assert "\n".join(table_lines(half_way(), at(140), Terminal(width=100), 24)) + "\n" == dedent("""\
        ✓ cluster       0.0 s  unchanged (last seen 2 h ago)
        ✓ nfd           38 s   3 created
        ● gpu-operator  1m40   waits 1m38 for DaemonSet gpu-operator/nvidia-driver-daemonset (usually 4m)
        ○ gpu-proof            waits for cluster, gpu-operator
        up lab · 4 stacks · simulated · 2m20 · Ctrl-C: finish what runs, then stop
        """)


def test_no_line_is_wider_than_a_narrow_terminal() -> None:
    for columns in (20, 40, 60):
        lines = table_lines(half_way(), at(140), Terminal(width=columns), 24)
        assert max(map(width, lines)) <= columns, columns
    assert table_lines(half_way(), at(140), Terminal(width=60), 24)[2] == (
        "● gpu-operator  1m40   waits 1m38 for DaemonSet gpu-operato…"
    )


def test_more_stacks_than_lines_leave_the_running_ones_and_a_count() -> None:
    names = [f"stack-{number}" for number in range(40)]
    progress = advance(Progress(), started(stacks=names))
    for name in names[:3]:
        progress = advance(progress, StackStarted(name, "nfd", at(1)))
    assert "\n".join(table_lines(progress, at(10), Terminal(width=80), 10)) + "\n" == dedent("""\
        ● stack-0  9.0 s  starting
        ● stack-1  9.0 s  starting
        ● stack-2  9.0 s  starting
          0 ended, 3 running, 37 not started
        up lab · 40 stacks · simulated · 10 s · Ctrl-C: finish what runs, then stop
        """)


def test_the_table_that_stays_is_whole() -> None:
    progress = half_way()
    for event in failing_up()[16:]:
        progress = advance(progress, event)
    assert "\n".join(final_lines(progress, at(412), Terminal(width=20))) + "\n" == dedent("""\
        ✓ cluster       0.0 s  unchanged (last seen 2 h ago)
        ✓ nfd           38 s   3 created
        ✗ gpu-operator  6m12   failed
        ○ gpu-proof            left as it was (gpu-operator failed)
        """)
