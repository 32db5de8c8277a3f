from textwrap import dedent

from aiinfra.ui.tables import table, truncate, width, wrap


def test_columns_begin_below_each_other_and_the_last_is_not_padded() -> None:
    assert table([("stack", "kind"), ("gpu-operator", "x"), ("日本", "y")], indent=1) == (
        " stack         kind\n gpu-operator  x\n 日本          y"
    )


def test_a_text_is_cut_at_the_columns_it_takes_not_at_its_letters() -> None:
    assert truncate("日本語 text", 6) == "日本…"
    assert truncate("first\nsecond", 20) == "first"
    assert width("e\u0301") == 1


def test_long_lines_go_on_below_their_own_text() -> None:
    text = "✗ nfd  failed after 3 s\n  ← the image nvcr.io/nvidia/driver:580 does not exist"
    assert wrap(text, 30) + "\n" == dedent("""\
        ✗ nfd  failed after 3 s
          ← the image
            nvcr.io/nvidia/driver:580
            does not exist
        """)
    assert wrap("\x1b[31m✗\x1b[0m short enough", 14) == "\x1b[31m✗\x1b[0m short enough"
