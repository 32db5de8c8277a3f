"""The JSON Schema agrees with what loading says."""

from __future__ import annotations

import jsonschema
import pytest

from aiinfra.config.schema import environment_schema
from aiinfra.config.yaml_text import parse
from tests.unit.kinds import CATALOG
from tests.unit.site import GOOD

SCHEMA = environment_schema(CATALOG)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def refused(text: str) -> bool:
    return bool(list(VALIDATOR.iter_errors(parse(text)[0].tree)))


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "line", ["", "title: ${cluster.server}", "doors: [{colour: blue}]", "depends_on: [cluster]", "link: none"]
)
def test_it_takes_what_is_good(line: str) -> None:
    assert not refused(GOOD + f"    {line}\n")


@pytest.mark.parametrize(
    "line",
    [
        "titel: x",
        "title: 4",
        "count: x",
        "doors: [{colour: green}]",
        "depends_on: cluster",
        "link: nome",
        "cluster: {a: b}",
    ],
)
def test_it_refuses_what_loading_refuses(line: str) -> None:
    text = GOOD.replace("    cluster: ${cluster}\n", "") if line.startswith("cluster") else GOOD
    assert refused(text + f"    {line}\n")


@pytest.mark.parametrize("text", ["", "version: v1\n", GOOD + "stats: {}\n", GOOD.replace("kind: app", "kind: apps")])
def test_it_refuses_a_wrong_frame(text: str) -> None:
    assert refused(text)


def test_a_base_may_leave_the_kind_to_the_file_that_extends_it() -> None:
    assert not refused("version: v1\nname: base\nstacks: {app: {title: x}}\n")


def test_fields_carry_their_docstrings() -> None:
    assert SCHEMA["properties"]["name"]["description"] == "The stem of the file's name."
    assert SCHEMA["$defs"]["kind.app"]["description"] == "An app."
