"""One thing wrong in the inputs of a stack: the sentence that a user reads. Lines 9 and on are the app's."""

from __future__ import annotations

import pytest

from tests.unit.site import Site


def test_the_good_site_is_good(site: Site) -> None:
    assert site.app([]) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("tittle: x", "9:5: stacks.app.tittle: no such key here (did you mean title?)"),
        ("title: 4.10", '9:12: stacks.app.title: wants text, got the number 4.1 (quote it: "4.10")'),
        ("title: 0x1F", '9:12: stacks.app.title: wants text, got the number 31 (quote it: "0x1F")'),
        ("title: true", '9:12: stacks.app.title: wants text, got true (quote it: "true")'),
        ("title:", "9:5: stacks.app.title: wants text, got nothing"),
        ("title: [a]", "9:12: stacks.app.title: wants text, got a list"),
        ("title: {a: b}", "9:12: stacks.app.title: wants text, got a map"),
        ("count: '4'", "9:12: stacks.app.count: wants a whole number, got '4' (write it without quotes)"),
        ("count: many", "9:12: stacks.app.count: wants a whole number, got 'many'"),
        ("count: true", "9:12: stacks.app.count: wants a whole number, got true"),
        ("count: 4.5", "9:12: stacks.app.count: wants a whole number, got the number 4.5"),
        ("share: half", "9:12: stacks.app.share: wants a number, got 'half'"),
        ("ready: yes", "9:12: stacks.app.ready: wants true or false, got 'yes' (write true)"),
        ("ready: off", "9:12: stacks.app.ready: wants true or false, got 'off' (write false)"),
        ("ready: 1", "9:12: stacks.app.ready: wants true or false, got the number 1"),
        ("zones: a", "9:12: stacks.app.zones: wants a list, got 'a'"),
        ("zones: [a, 3]", '9:16: stacks.app.zones[1]: wants text, got the number 3 (quote it: "3")'),
        ("settings: [a]", "9:15: stacks.app.settings: wants a map, got a list"),
        ("settings: {a: 1}", '9:19: stacks.app.settings.a: wants text, got the number 1 (quote it: "1")'),
        ("settings: {a.b: 1}", '9:21: stacks.app.settings["a.b"]: wants text, got the number 1 (quote it: "1")'),
        ("tier: golden", "9:11: stacks.app.tier: wants gold, silver or iron, got 'golden' (did you mean gold?)"),
        ("tier: x", "9:11: stacks.app.tier: wants gold, silver or iron, got 'x'"),
        ("pattern: UP", "9:14: stacks.app.pattern: wants text that matches ^[a-z]+$, got 'UP'"),
        ("doors: [{width: 0}]", "9:21: stacks.app.doors[0].width: wants at least 1, got the number 0"),
        ("doors: [{width: 10}]", "9:21: stacks.app.doors[0].width: wants at most 9, got the number 10"),
        ("doors: [{colour: green}]", "9:22: stacks.app.doors[0].colour: wants red or blue, got 'green'"),
        ("doors: [{widht: 1}]", "9:14: stacks.app.doors[0].widht: no such key here (did you mean width?)"),
        ("doors: [{}, {}, {}]", "9:12: stacks.app.doors: wants at most 2 entries, got a list"),
        ("doors: [x]", "9:13: stacks.app.doors[0]: wants a map, got 'x'"),
        ("figure: {shape: circle}", "9:5: stacks.app.figure.radius: is required (wants a whole number)"),
        ("figure: {shape: oval}", "9:13: stacks.app.figure: wants one of the kinds circle, square, got a map"),
        ("figure: {side: 1}", "9:13: stacks.app.figure: wants the key shape, got a map"),
        ("link: nome", "9:11: stacks.app.link: wants a reference to another stack such as ${cluster} or none, got 'nome' (did you mean none?)"),
        ("password: 12345", "9:15: stacks.app.password: wants text, got a number (put it in quotes)"),
        ("password: [hunter2]", "9:15: stacks.app.password: wants text, got a list"),
        ("title: forbidden", "9:12: stacks.app.title: this title is taken (choose another)"),
    ],
)  # fmt: skip
def test_a_wrong_value(site: Site, line: str, says: str) -> None:
    assert site.app([line]) == [says]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("version: ${cluster.server}", "9:14: stacks.app.version: takes no reference, so ${cluster.server} cannot stand here (write the value itself)"),
        ("version: ${env:V}", "9:14: stacks.app.version: takes no secret, so ${env:V} cannot stand here (write the value itself, or set it by an AIINFRA__ variable)"),
        ("doors: [{width: '${cluster.size.nodes}'}]", "9:21: stacks.app.doors[0].width: takes no reference, so ${cluster.size.nodes} cannot stand here (write the value itself)"),
        ("loose: {a: {b: '${cluster.server}'}}", "9:20: stacks.app.loose.a.b: takes no reference, so ${cluster.server} cannot stand here (write the value itself)"),
        ("kind: ${cluster}", "9:5: stacks.app.kind: the key kind stands here twice, first in line 7"),
    ],
)  # fmt: skip
def test_a_late_value_where_a_literal_must_stand(site: Site, line: str, says: str) -> None:
    assert site.app([line]) == [says]


@pytest.mark.parametrize(
    "line",
    [
        "title: '4'", "title: yes", "title: 2026-01-02", "title: 1_000", "title: $${x}", "count: 4", "share: 3",
        "ready: true", "zones: [a, b]", "settings: {a: b}", "tier: iron", "doors: [{colour: blue, width: 9}]",
        "figure: {shape: square, side: 1}", "loose: {a: [1, {b: null}]}", "link: none", "password: ${env:P}",
        "title: ${file:a b/c}", "names: ['${env:A}', b]",
    ],
)  # fmt: skip
def test_a_right_value(site: Site, line: str) -> None:
    assert site.app([line]) == []


def test_what_is_required_is_named_at_its_stack(site: Site) -> None:
    site.write("site.yaml", "version: v1\nname: site\nstacks:\n  app:\n    kind: app\n")
    assert site.says() == [
        "site.yaml:4:3: stacks.app.cluster: is required (write ${STACK}, a stack that gives ClusterGiven)"
    ]


def test_rules_about_the_surroundings_see_the_other_stacks(site: Site) -> None:
    twin = "  zwei:\n    kind: app\n    cluster: ${cluster}\n    title: one\n"
    site.write("site.yaml", (site.folder / "site.yaml").read_text() + "    title: one\n" + twin)
    assert site.says() == ["site.yaml:13:12: stacks.zwei.title: app has this title already"]
