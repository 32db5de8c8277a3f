"""URLs of states and key services, as a person may see them. Pure."""

from __future__ import annotations

import re

_SECRET_PARTS = re.compile(r"(?<=://)[^/@]*@|[?#].*")


def shown(url: str) -> str:
    """The URL without what may be secret in it: user, password and parameters."""
    return _SECRET_PARTS.sub("", url)
