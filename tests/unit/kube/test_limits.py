"""The limit of a change follows the number of nodes, and says so."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.provider.limits import Limit, first_limit, span, upgrade_limit

HOUR, MINUTE = 3600.0, 60.0


def nodes(count: int) -> list[dict[str, Any]]:
    gpu = [{"metadata": {"labels": {"nvidia.com/gpu.present": "true"}}} for _ in range(count)]
    return [*gpu, {"metadata": {"labels": {}}}]


def a_policy(**upgrades: Any) -> dict[str, Any]:
    return {"spec": {"driver": {"upgradePolicy": upgrades}}}


def test_a_first_install_builds_on_all_nodes_at_once() -> None:
    assert first_limit(40 * MINUTE, 20 * MINUTE) == Limit(2400, "40 min, for all nodes at once")


@pytest.mark.parametrize(
    ("policy", "count", "seconds", "source"),
    [
        (
            a_policy(maxParallelUpgrades=1, maxUnavailable="25%"),
            8,
            10800,
            "40 min, and 20 min for each of 7 further rounds, as drivers are upgraded on 1 of 8 nodes at a time",
        ),
        (
            a_policy(maxParallelUpgrades=4),
            8,
            3600,
            "40 min, and 20 min for another round, as drivers are upgraded on 4 of 8 nodes at a time",
        ),
        (
            a_policy(maxParallelUpgrades=0, maxUnavailable="25%"),
            8,
            6000,
            "40 min, and 20 min for each of 3 further rounds, as drivers are upgraded on 2 of 8 nodes at a time",
        ),
        (
            a_policy(maxParallelUpgrades=4, maxUnavailable=3),
            8,
            4800,
            "40 min, and 20 min for each of 2 further rounds, as drivers are upgraded on 3 of 8 nodes at a time",
        ),
        (a_policy(maxParallelUpgrades=0), 8, 2400, "40 min, for all nodes at once"),
        (a_policy(), 1, 2400, "40 min, for all nodes at once"),
        (None, 8, 2400, "40 min, for all nodes at once"),
    ],
)
def test_a_change_has_the_time_of_its_rounds(policy: Any, count: int, seconds: float, source: str) -> None:
    assert upgrade_limit(40 * MINUTE, 20 * MINUTE, policy, nodes(count)) == Limit(seconds, source)


def test_a_limit_that_does_not_follow_the_nodes_is_not_explained() -> None:
    assert upgrade_limit(600, 0, a_policy(), nodes(8)) == Limit(600)


@pytest.mark.parametrize(
    ("seconds", "text"), [(90, "90 s"), (150, "150 s"), (40 * MINUTE, "40 min"), (HOUR, "1 h"), (8400, "2 h 20 min")]
)
def test_a_span_is_told_in_round_units(seconds: float, text: str) -> None:
    assert span(seconds) == text
