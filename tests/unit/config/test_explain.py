"""`explain`: what counts, who gives it, what it overrides."""

from __future__ import annotations

import pytest

from aiinfra.config.explain import explain
from aiinfra.errors import ConfigError
from tests.unit.site import GOOD, Site


def lines(site: Site, path: str, *sets: str) -> list[str]:
    found = explain(site.load("site.yaml", *sets), path)
    return [
        line
        for one in found
        for line in [
            f"{one.path} = {one.given.value} ({one.given.where})",
            *(f"  {o.value} ({o.where})" for o in one.overridden),
        ]
    ]


@pytest.fixture
def layered(site: Site) -> Site:
    site.write("_base.yaml", "stacks:\n  app: {title: base, count: 1}\n")
    site.write(
        "site.yaml", "extends: [_base.yaml]\n" + GOOD + "    title: file\n    password: hunter2\n    zones: [a, b]\n"
    )
    site.environ["AIINFRA__stacks__app__title"] = "variable"
    return site


def test_every_layer_of_a_value_is_shown(layered: Site) -> None:
    assert lines(layered, "stacks.app.title", "stacks.app.title=flag") == [
        "stacks.app.title = flag (--set stacks.app.title)",
        "  variable (AIINFRA__stacks__app__title)",
        "  file (site.yaml:10:12)",
        "  base (_base.yaml:2:16)",
    ]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("stacks.app.count", "stacks.app.count = 1 (_base.yaml:2:29)"),
        ("stacks.app.cluster", "stacks.app.cluster = ${cluster} (site.yaml:9:14)"),
        ("stacks.app.zones", 'stacks.app.zones = ["a", "b"] (site.yaml:12:12)'),
        ("stacks.app.zones[1]", "stacks.app.zones[1] = b (site.yaml:12:16)"),
        ("stacks.app.version", 'stacks.app.version = 1 (default of kind app)'),
        ("stacks.app.password", "stacks.app.password = <hidden> (site.yaml:11:15)"),
        ("state.url", "state.url = file://~/.aiinfra/state (default for target real)"),
        ("target", "target = real (default)"),
    ],
)  # fmt: skip
def test_one_value(layered: Site, path: str, says: str) -> None:
    assert lines(layered, path) == [says]


def test_a_part_of_the_environment_is_shown_value_by_value(layered: Site) -> None:
    assert lines(layered, "stacks.cluster") == [
        "stacks.cluster.kind = cluster (site.yaml:6:11)",
        'stacks.cluster.kubeconfig = "" (default of kind cluster)',
        "stacks.cluster.region = north (default of kind cluster)",
    ]


def test_the_whole_environment_is_shown_without_a_path(layered: Site) -> None:
    assert lines(layered, "")[0] == "version = v1 (site.yaml:2:10)"


def test_a_secret_is_shown_in_no_layer(layered: Site) -> None:
    assert lines(layered, "stacks.app.password", "stacks.app.password=canary") == [
        "stacks.app.password = <hidden> (--set stacks.app.password)",
        "  <hidden> (site.yaml:11:15)",
    ]


@pytest.mark.parametrize(
    ("path", "says", "hint"),
    [
        ("stacks.app.titel", "nothing stands at stacks.app.titel", "did you mean title?"),
        ("stack", "nothing stands at stack", "did you mean stacks?"),
        ("stacks.app.zones[7]", "nothing stands at stacks.app.zones[7]", "known are [0], [1]"),
        ("a b", "'a b' is not a path", "write stacks.nfd.version"),
    ],
)
def test_a_path_that_leads_nowhere(layered: Site, path: str, says: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        lines(layered, path)
    assert (str(caught.value), caught.value.record.hint) == (says, hint)
