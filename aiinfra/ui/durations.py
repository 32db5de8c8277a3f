"""Durations and ages as people read them: `0.4 s`, `38 s`, `6m12`, `1h04m`, `2 h ago`."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Seconds as `0.4 s` below ten seconds, `38 s` below a minute, `6m12` below an hour, `1h04m` above."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def limit(seconds: float) -> str:
    """A round time span, as limits and usual times are named: `40 s`, `14m`, `2h`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m" if whole % 60 == 0 else duration(whole)
    return f"{whole // 3600}h" if whole % 3600 < 60 else duration(whole)


_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def age(seconds: float) -> str:
    """How long ago, in the largest unit that fits: `just now`, `12 s ago`, `5 min ago`, `2 h ago`, `3 d ago`."""
    if seconds < 5:
        return "just now"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"
