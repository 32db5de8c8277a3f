"""Suggestions for a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(wrong: str, known: Iterable[str], *, wrap: str = "{}") -> str:
    """`did you mean nfd?`, or, when nothing is alike and there are few, `known are a, b`; empty otherwise."""
    from difflib import get_close_matches

    names = list(dict.fromkeys(known))
    folded = {name.lower().replace("_", "-"): name for name in names}
    if near := get_close_matches(wrong.lower().replace("_", "-"), folded, n=1, cutoff=0.6):
        return f"did you mean {wrap.format(folded[near[0]])}?"
    return f"known are {', '.join(sorted(names))}" if 0 < len(names) <= 12 else ""
