"""Findings about a host's cards, judged beside what other stacks of the environment use the same cards for.

No hint takes from another stack the last cards that serve it, and a host that serves another stack is no warning as
long as enough hosts serve this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.checks import cards, graphics, mig, offers
from aiinfra.domains.vsphere.checks.findings import API, Topic
from aiinfra.domains.vsphere.hosts.changes import HostChange, SetPassthrough
from aiinfra.domains.vsphere.hosts.claims import OtherStack, changeable, serving_cards, stacks_on
from aiinfra.domains.vsphere.hosts.matching import usable_cards
from aiinfra.domains.vsphere.hosts.mig_commands import steps_on, wrong_cards
from aiinfra.domains.vsphere.hosts.profiles import some
from aiinfra.domains.vsphere.reading.observed import Card, Host
from aiinfra.domains.vsphere.spec import GpuTemplateSpec, VgpuDevices
from aiinfra.stack import Finding

HOSTS: Final = Topic("vsphere.hosts", f"{API}: HostPciDevice, HostGraphicsInfo")
ROOM: Final = frozenset({offers.PROFILE.code, offers.CAPACITY.code})
"""Codes of what a host can start now: a full host is as good as any while another has room."""
MODES: Final = ROOM | {mig.MIG.code, cards.PASSTHROUGH.code, cards.LABEL.code, graphics.GRAPHICS.code}
"""Codes of what a card can be in one way only, so that stacks exclude each other on it."""
NOWHERE: Final = frozenset({"vsphere.mig_off", "vsphere.profile_not_startable"})
"""Codes of a cluster without a card in the mode of the template."""


@dataclass(frozen=True, slots=True)
class Shared:
    """The hosts of a cluster as the template and other stacks share them."""

    spec: GpuTemplateSpec
    hosts: Sequence[Host]
    others: Sequence[OtherStack]
    wrong: Mapping[str, Sequence[Card]]
    """By host, cards that are not as the template needs them."""
    plan: Mapping[str, Sequence[Card]]
    """By host, cards that may be changed for it."""

    @classmethod
    def of(cls, hosts: Sequence[Host], spec: GpuTemplateSpec, others: Sequence[OtherStack]) -> Shared:
        wrong = {host.name: found for host in hosts if (found := _wrong(host, spec))}
        return cls(spec, hosts, others, wrong, changeable(hosts, wrong, spec, others) if others else wrong)

    @property
    def all_may_change(self) -> bool:
        """Whether every card in the wrong mode may be changed."""
        return all(set(self.plan.get(name, ())) >= set(found) for name, found in self.wrong.items())

    def with_commands(self, found: list[Finding], host: Host) -> list[Finding]:
        """Return the findings of a host with the commands that switch MIG mode as the hint of the first card."""
        needing = [f for f in found if f.code == mig.MIG.code and f.level in ("warning", "error") and f.hint != mig.ASK]
        steps = steps_on(host, self.spec, self.plan.get(host.name, ())) if needing else None
        if steps is None:
            return found
        may = [f for f in needing if _card(host, f) in self.plan[host.name]]
        hints = {f.about: f"as for {may[0].about.rpartition(' ')[2]}" for f in may}
        hints |= {f.about: "\n".join(steps.lines()) for f in may[:1]}
        return [replace(f, hint=hints[f.about]) if f in may else f for f in found]

    def judged(self, found: Sequence[Finding], serving: Sequence[str]) -> Iterator[Finding]:
        """Yield the findings; `serving`: names of the hosts on which nothing is wrong for the template."""
        by_name = {host.name: host for host in self.hosts}
        room = any(one.code == offers.CAPACITY.code and one.level == "ok" for one in found)
        for one in found:
            host = by_name.get(one.host)
            if one.level == "ok":
                yield one
            elif host is not None and one.code in MODES:
                yield self._of_host(one, host, serving, room=room)
            elif one.code in NOWHERE and self.wrong and not self.plan:
                yield replace(one, hint=self._taken())
            else:
                yield one

    def _of_host(self, one: Finding, host: Host, serving: Sequence[str], *, room: bool) -> Finding:
        card = _card(host, one)
        concerned = usable_cards(host, self.spec) if card is None else [card]
        users = stacks_on(host, concerned, self.others)
        if serving and (users or self._is_spare(one, room=room)):
            read = f"{one.read}; it serves {' and '.join(users)}" if users else one.read
            return replace(one, level="note", read=read, hint=one.hint if one.hint == mig.ASK else "")
        if users and not any(other in self.plan.get(host.name, ()) for other in concerned):
            return replace(one, hint=self._leave(users))
        return one

    def _is_spare(self, one: Finding, *, room: bool) -> bool:
        """Whether it is no flaw of a host that another host serves."""
        return one.level == "warning" and (one.code == mig.MIG.code or (room and one.code in ROOM))

    def _leave(self, users: Sequence[str]) -> str:
        if self.plan:
            return f"leave it, as it serves {' and '.join(users)}; change cards of {some(list(self.plan))} instead"
        return self._taken()

    def _taken(self) -> str:
        users = [name for host in self.hosts for name in stacks_on(host, self.wrong.get(host.name, ()), self.others)]
        names = " and ".join(dict.fromkeys(users))
        return f"add cards for it, or take a stack out of the file: the cards that are there serve {names}"

    def refused_change(self, host: Host, change: HostChange) -> str:
        """Return the stacks that the change would take a card from; empty when there are none."""
        if not isinstance(change, SetPassthrough):
            return ""
        card = [one for one in host.cards if one.pci_id == change.pci_id]
        return " and ".join(stacks_on(host, card, self.others))


def qualifying(found: str, having: Sequence[Host], serving: Sequence[str]) -> Finding | None:
    """Return how many of the hosts with such cards qualify; None when none does, as their findings say why."""
    names = [host.name for host in having if host.name in serving and not host.maintenance]
    if not names:
        return None
    verb = "qualifies" if len(names) == 1 else "qualify"
    noun = "host" if len(having) == 1 else "hosts"
    return HOSTS.ok(found, f"{len(names)} of {len(having)} {noun} {verb}: {some(names)}", "a host that serves it")


def _wrong(host: Host, spec: GpuTemplateSpec) -> list[Card]:
    if isinstance(spec.gpu, VgpuDevices):
        return [*wrong_cards(host, spec), *(c for c in usable_cards(host, spec) if graphics.is_passed_through(c))]
    if not spec.passes_cards_through or spec.host not in ("", host.name):
        return []
    serving = serving_cards(host, spec)
    capable = (c for c in usable_cards(host, spec) if c.passthrough and c.passthrough.capable)
    return [card for card in capable if card not in serving]


def _card(host: Host, finding: Finding) -> Card | None:
    pci_id = finding.about.removeprefix(host.name).strip()
    return next((card for card in host.cards if card.pci_id == pci_id), None)
