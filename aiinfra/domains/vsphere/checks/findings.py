"""Makes findings of each level. A fact that could not be read is `unknown`, never `ok`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.reading.observed import Cluster, Datastore, Host, Site, Source
from aiinfra.stack import Finding

API: Final = "vSphere Web Services API 8.0.3"
USER_GUIDE: Final = "NVIDIA AI Enterprise user guide"


@dataclass(frozen=True, slots=True)
class Topic:
    """What a check is about."""

    code: str
    source: str
    """The document that demands it, or the property that was read."""

    def by(self, source: str) -> Topic:
        """Return the same topic with another source."""
        return replace(self, source=source)

    def ok(self, about: str, read: str, needed: str) -> Finding:
        return Finding("ok", about, read, needed, "", self.source, self.code)

    def error(self, about: str, read: str, needed: str, hint: str) -> Finding:
        return Finding("error", about, read, needed, hint, self.source, self.code)

    def warning(self, about: str, read: str, needed: str, hint: str) -> Finding:
        return Finding("warning", about, read, needed, hint, self.source, self.code)

    def note(self, about: str, read: str, needed: str, hint: str = "") -> Finding:
        """Return what is worth knowing and is no flaw: nothing that anybody does would remove it."""
        return Finding("note", about, read, needed, hint, self.source, self.code)

    def unknown(self, about: str, read: str, needed: str, hint: str) -> Finding:
        return Finding("unknown", about, read, needed, hint, self.source, self.code)

    def unread(
        self, of: Host | Cluster | Site | Datastore | Source, field: str, about: str, needed: str, hint: str = ""
    ) -> Finding:
        """Return an `unknown` for `field` of `of`, which could not be read, with the recorded reason."""
        why = of.unread.get(field, "vCenter does not tell it")
        return self.unknown(about, why, needed, hint or "read it on the host, or let the account read it")
