"""Which stacks a host's cards serve now, so that nothing is done to a card for one stack that takes it from another."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.hosts.matching import usable_cards
from aiinfra.domains.vsphere.hosts.mig_mode import mig_is_on
from aiinfra.domains.vsphere.reading.observed import Card, Host
from aiinfra.domains.vsphere.spec import GpuTemplateSpec, GroupDevices


@dataclass(frozen=True, slots=True)
class OtherStack:
    """A template of another stack whose VMs may run on the same hosts."""

    name: str
    spec: GpuTemplateSpec


def serving_cards(host: Host, spec: GpuTemplateSpec) -> list[Card]:
    """Return the cards that are as VMs of the template need them, used or not."""
    if not host.connected or spec.host not in ("", host.name):
        return []
    if isinstance(spec.gpu, GroupDevices):
        listed = any(group.name == spec.gpu.group for group in host.groups or ())
        return list(host.cards) if listed else []
    return [card for card in usable_cards(host, spec) if _fits(host, card, spec)]


def stacks_on(host: Host, cards: Collection[Card], others: Sequence[OtherStack]) -> list[str]:
    """Return the names of the stacks that one of these cards serves."""
    found = (one.name for one in others if any(card in cards for card in serving_cards(host, one.spec)))
    return list(dict.fromkeys(found))


def changeable(
    hosts: Sequence[Host], wrong: Mapping[str, Sequence[Card]], spec: GpuTemplateSpec, others: Sequence[OtherStack]
) -> Mapping[str, Sequence[Card]]:
    """Return which of the `wrong` cards, by host, may change their mode for the template.

    Cards that serve no other stack come first. Without any, it is one host, as far as the others go on being served;
    empty when no host can be spared.
    """
    idle = {name: _idle(host, wrong[name], others) for host in hosts if (name := host.name) in wrong}
    if enough := {name: cards for name, cards in idle.items() if len(cards) >= spec.count}:
        return enough
    for host in hosts:
        spare = _spare(host, wrong.get(host.name, ()), others, [one for one in hosts if one is not host])
        if len(spare) >= spec.count:
            return {host.name: spare}
    return {}


def _fits(host: Host, card: Card, spec: GpuTemplateSpec) -> bool:
    state = card.passthrough
    passed = bool(state and state.enabled)
    if spec.passes_cards_through:
        return passed and spec.label in ("", state.label if state else "")
    return not (passed and card.graphics_type is None) and mig_is_on(host, card) == (spec.gpu.mode == "mig")


def _idle(host: Host, cards: Sequence[Card], others: Sequence[OtherStack]) -> list[Card]:
    return [card for card in cards if not stacks_on(host, [card], others)]


def _spare(host: Host, cards: Sequence[Card], others: Sequence[OtherStack], rest: Sequence[Host]) -> list[Card]:
    """Return the cards without which every other stack still has a host, this one or another, with enough of them."""
    kept: list[Card] = []
    for other in others:
        mine, enough = serving_cards(host, other.spec), other.spec.count
        if isinstance(other.spec.gpu, GroupDevices):
            enough = len(mine)
        if not any(len(serving_cards(one, other.spec)) >= other.spec.count for one in rest):
            kept += sorted(mine, key=lambda card: card in cards)[:enough]
    return [card for card in cards if card not in kept]
