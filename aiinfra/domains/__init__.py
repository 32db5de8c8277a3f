"""The outside worlds that aiinfra knows. One folder a domain, one line here; other packages add theirs by the entry
point group `aiinfra.domains`."""

from __future__ import annotations

from typing import Final

DOMAINS: Final = (
    "kubernetes",
    "vsphere",
)
