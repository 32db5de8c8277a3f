import pytest

from aiinfra.ui.terminal import ASCII, UNICODE, Terminal


@pytest.mark.parametrize(
    ("environ", "terminal", "colour"),
    [
        ({"TERM": "xterm-256color"}, True, True),
        ({"TERM": "xterm-256color"}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({}, True, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ({"TERM": "xterm", "CLICOLOR": "0"}, True, False),
        ({"CLICOLOR_FORCE": "1"}, False, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_colour_is_used_only_where_it_is_wanted(environ: dict[str, str], terminal: bool, colour: bool) -> None:
    assert Terminal.from_facts(environ, terminal=terminal, encoding="utf-8").colour is colour


def test_nothing_is_redrawn_on_a_pipe_a_dumb_terminal_or_one_without_our_signs() -> None:
    good = {"TERM": "xterm"}
    assert Terminal.from_facts(good, terminal=True, encoding="utf-8").live
    assert not Terminal.from_facts(good, terminal=False, encoding="utf-8").live
    assert not Terminal.from_facts({"TERM": "dumb"}, terminal=True, encoding="utf-8").live
    assert not Terminal.from_facts(good, terminal=True, encoding="ascii").live


def test_signs_follow_the_encoding() -> None:
    assert Terminal.from_facts({}, terminal=False, encoding="UTF-8").marks is UNICODE
    assert Terminal.from_facts({}, terminal=False, encoding="latin-1").marks is ASCII
