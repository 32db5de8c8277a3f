import pytest

from aiinfra.ui.durations import age, duration, limit


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (38, "38 s"),
        (59.6, "1m00"),
        (372, "6m12"),
        (724, "12m04"),
        (3599.7, "1h00m"),
        (3840, "1h04m"),
        (-1, "0.0 s"),
    ],
)
def test_durations_have_the_precision_that_matters(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(20, "20 s"), (240, "4m"), (372, "6m12"), (7200, "2h"), (3840, "1h04m")])
def test_usual_times_are_round(seconds: float, text: str) -> None:
    assert limit(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(1, "just now"), (12, "12 s ago"), (340, "5 min ago"), (7300, "2 h ago"), (300000, "3 d ago")]
)
def test_ages_use_the_largest_unit(seconds: float, text: str) -> None:
    assert age(seconds) == text
