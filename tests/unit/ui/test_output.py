import io
import os
from pathlib import Path

from aiinfra.ui.masking import Masker
from aiinfra.ui.output import Output


def test_lines_and_documents_are_masked() -> None:
    stream = io.StringIO()
    out = Output(stream, Masker(["hunter22"]))
    out.line("the password is hunter22")
    out.json({"password": "hunter22"})
    assert stream.getvalue() == 'the password is <secret>\n{"password":"<secret>"}\n'


def test_signs_that_the_stream_lacks_are_replaced() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Output(stream).line("2 stacks · ← “ü”")
    assert raw.getvalue() == b"2 stacks - <- ???\n"


def test_a_reader_that_went_away_does_not_stop_the_run() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        out = Output(stream)
        out.line("first")
        out.line("second")


def test_a_full_disk_does_not_stop_the_run_and_is_remembered() -> None:
    with Path("/dev/full").open("w") as stream:
        out = Output(stream)
        out.line("first")
        out.line("second")
    assert out.lost == "No space left on device"


def test_a_terminal_that_was_closed_does_not_stop_the_run() -> None:
    leader, follower = os.openpty()
    os.close(leader)
    with os.fdopen(follower, "w") as stream:
        out = Output(stream)
        out.file().write("drawn")
        out.line("first")
    assert out.lost == ""


def test_a_stream_that_was_closed_before_the_start_takes_nothing() -> None:
    out = Output(None)
    out.line("first")
    assert out.lost == ""


def test_what_would_drive_the_terminal_is_shown_instead_of_obeyed() -> None:
    stream = io.StringIO()
    Output(stream).line(
        "bad \x1b]0;title\x07 \x1b[2J \r\x7f\x9b \u202ertl\u202c\ta tab, \x1b[31mred\x1b[0m\nsecond line"
    )
    assert stream.getvalue() == (
        "bad \\x1b]0;title\\x07 \\x1b[2J \\r\\x7f\\x9b \\u202ertl\\u202c\ta tab, \x1b[31mred\x1b[0m\nsecond line\n"
    )
