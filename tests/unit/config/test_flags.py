"""`--set` and `AIINFRA__…`: what they set, and what they say when they cannot."""

from __future__ import annotations

import pytest

from aiinfra.stack import Ref
from tests.unit.site import GOOD, Site


def app(site: Site, *sets: str) -> dict[str, object]:
    return dict(site.load("site.yaml", *sets).environment.stacks["app"].inputs)  # type: ignore[index]  # a plain name


@pytest.mark.parametrize(
    ("sets", "key", "value"),
    [
        (["stacks.app.title=x"], "title", "x"),
        (["stacks.app.title='4'"], "title", "4"),
        (["stacks.app.title=a=b"], "title", "a=b"),
        (["stacks.app.title=one", "stacks.app.title=two"], "title", "two"),
        (["stacks.app.count=4"], "count", 4),
        (["stacks.app.zones=[a, b]"], "zones", ["a", "b"]),
        (["stacks.app.zones=[a, b]", "stacks.app.zones[1]=c"], "zones", ["a", "c"]),
        (["stacks.app.zones=[a]", "stacks.app.zones[1]=b"], "zones", ["a", "b"]),
        (["stacks.app.doors=[{width: 1}]", "stacks.app.doors[0].width=2"], "doors", [{"width": 2}]),
        (['stacks.app.settings["a.b/c"]=x'], "settings", {"a.b/c": "x"}),
        (["stacks.app.settings={a: x}", "stacks.app.settings.b=y"], "settings", {"a": "x", "b": "y"}),
        (["stacks.app.title=${cluster.server}"], "title", Ref("cluster", ("server",))),  # type: ignore[arg-type]
        (["stacks.app.title=$${x}"], "title", "${x}"),
    ],
)
def test_set_takes_a_path_and_a_value_typed_as_in_yaml(site: Site, sets: list[str], key: str, value: object) -> None:
    assert app(site, *sets)[key] == value


def test_set_can_add_a_stack(site: Site) -> None:
    assert list(site.load("site.yaml", "stacks.more={kind: cluster}").plan.steps) == ["cluster", "app", "more"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stacks.app.count=x", "--set stacks.app.count: stacks.app.count: wants a whole number, got 'x'"),
        ("stacks.app.cuont=1", "--set stacks.app.cuont: stacks.app.cuont: no such key here (did you mean count?)"),
        ("stacks.app.count=", "--set stacks.app.count: stacks.app.count: wants a whole number, got nothing"),
        ("stacks.app.title=a: b", "--set stacks.app.title: stacks.app.title: wants text, got a map"),
        ("stacks.app.title={a", "--set stacks.app.title: is not YAML: while parsing a flow mapping, expected ',' or '}', but got '<stream end>' (quote the value if it is text)"),
        ("stacks.app.count", '--set stacks.app.count: is not of the form PATH=VALUE (write --set stacks.nfd.version=0.19.0; a key with other signs is ["key"])'),
        ("=x", '--set : is not of the form PATH=VALUE (write --set stacks.nfd.version=0.19.0; a key with other signs is ["key"])'),
        ("a b=hunter2", '--set a b: is not of the form PATH=VALUE (write --set stacks.nfd.version=0.19.0; a key with other signs is ["key"])'),
        ("stacks.app.zones[0]=a", "--set stacks.app.zones[0]: stacks.app.zones is no list, so it has no [0]"),
        ("stacks.app.names[5]=a", "--set stacks.app.names[5]: stacks.app.names has 1 entries, so [5] is not the next one"),
        ("stacks.app.names.x=a", "--set stacks.app.names.x: stacks.app.names is a list, so x must be a number"),
        ("extends=[a.yaml]", "--set extends: extends is followed in files only"),
    ],
)  # fmt: skip
def test_a_set_that_cannot_be_followed(site: Site, text: str, says: str) -> None:
    site.write("site.yaml", GOOD + "    names: [a]\n")
    assert site.says("site.yaml", text) == [says]


@pytest.mark.parametrize(
    ("name", "value", "key", "expected"),
    [
        ("AIINFRA__stacks__app__title", "x", "title", "x"),
        ("AIINFRA__stacks__app__count", "4", "count", 4),
        ("AIINFRA__stacks__app__names__0", "b", "names", ["b"]),
        ("AIINFRA__stacks__app__settings__a_b", "y", "settings", {"a-b": "y"}),
        ("AIINFRA__stacks__app__settings__new_one", "y", "settings", {"a-b": "x", "new_one": "y"}),
    ],
)
def test_a_variable_sets_the_value_that_its_name_spells(
    site: Site, name: str, value: str, key: str, expected: object
) -> None:
    site.write("site.yaml", GOOD + "    names: [a]\n    settings: {a-b: x}\n")
    site.environ[name] = value
    assert app(site)[key] == expected


def test_a_flag_is_stronger_than_a_variable_and_both_than_the_file(site: Site) -> None:
    site.write("site.yaml", GOOD + "    title: file\n    count: 1\n    share: 0.1\n")
    site.environ.update({"AIINFRA__stacks__app__title": "variable", "AIINFRA__stacks__app__count": "2"})
    given = app(site, "stacks.app.title=flag")
    assert (given["title"], given["count"], given["share"]) == ("flag", 2, 0.1)


def test_a_flag_or_variable_that_misses_its_stack_is_named_with_the_stack_that_is_near(site: Site) -> None:
    assert site.says("site.yaml", "stacks.ap.count=4") == [
        "--set stacks.ap.count: stacks.ap: the file has no such stack (did you mean app?)"
    ]
    site.environ["AIINFRA__stacks__clustr__server"] = "x"
    assert site.says() == [
        "AIINFRA__stacks__clustr__server: stacks.clustr: the file has no such stack (did you mean cluster?)"
    ]


def test_a_variable_that_is_wrong_is_named(site: Site) -> None:
    site.environ.update({"AIINFRA__stacks__app__count": "x", "AIINFRA____": "y", "AIINFRA_LOG": "z"})
    assert site.says() == [
        "AIINFRA____: names no value (write AIINFRA__stacks__nfd__version)",
        "AIINFRA__stacks__app__count: stacks.app.count: wants a whole number, got 'x'",
    ]
