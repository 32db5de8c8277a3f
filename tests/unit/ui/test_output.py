import io
import os

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
