"""What the author of a kind reads when its program is wrong: where in their own file, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiinfra.catalog import Catalog
from aiinfra.config import load_environment
from aiinfra.render.rendering import RenderFailed, render_texts
from aiinfra.stack import StackName, StackType
from tests.unit.render import wrong_programs as wrong
from tests.unit.render.kinds import CATALOG
from tests.unit.site import a_world

SITE = """\
version: v1
name: site
stacks:
  cluster: {kind: cluster, kubeconfig: "${file:kubeconfig}"}
  app: {kind: wrong, cluster: "${cluster}"}
"""


def said(folder: Path, program: str, domains: tuple[str, ...] = ()) -> str:
    kind: StackType[Any, Any] = StackType("wrong", "", wrong.Taken, wrong.Given, program, domains=domains)
    (folder / "site.yaml").write_text(SITE)
    catalog = Catalog.of(CATALOG["cluster"], kind)
    plan = load_environment("site.yaml", world=a_world(folder), catalog=catalog).plan
    with pytest.raises(RenderFailed) as failure:
        render_texts(plan, [StackName("app")])
    return failure.value.record.message


def line_of(text: str) -> int:
    lines = Path(wrong.__file__).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.mark.parametrize(
    ("program", "at", "sentence"),
    [
        ("typo", "inputs.txt", "AttributeError: 'Taken' object has no attribute 'txt'"),
        ("unknown_output", "Given.of(nam=", "TypeError: Given.of: nam is none of its fields, name is missing"),
        ("output_as_text", "!!", "an Output is no text yet: join it with pulumi.Output.concat, or use .apply"),
    ],
)
def test_a_mistake_is_named_at_its_line_in_the_kinds_own_file(
    tmp_path: Path, program: str, at: str, sentence: str
) -> None:
    assert said(tmp_path, f"{wrong.__name__}:{program}") == (
        f"the program failed at wrong_programs.py:{line_of(at)}: {sentence}"
    )


@pytest.mark.parametrize(("program", "given"), [("plain_map", "dict"), ("nothing", "NoneType")])
def test_a_program_that_returns_another_thing_is_told_what_to_return(tmp_path: Path, program: str, given: str) -> None:
    assert said(tmp_path, f"{wrong.__name__}:{program}") == (
        f"wrong: its program returned {given}, not Given; end it with Given.of(…)"
    )


@pytest.mark.parametrize(
    ("program", "domains", "declared", "way_out"),
    [
        ("bundle", (), "aiinfra:kubernetes:Bundle", '("kubernetes",)'),
        ("bundle", ("vsphere",), "aiinfra:kubernetes:Bundle", '("vsphere", "kubernetes")'),
        ("config_map", (), "kubernetes:core/v1:ConfigMap", '("kubernetes",)'),
    ],
)
def test_a_resource_of_a_domain_that_the_kind_does_not_name_is_refused(
    tmp_path: Path, program: str, domains: tuple[str, ...], declared: str, way_out: str
) -> None:
    assert said(tmp_path, f"{wrong.__name__}:{program}", domains) == (
        f"the kind wrong declares {declared}, a resource of the domain kubernetes, which it does not name"
        f" (write domains={way_out} in its StackType)"
    )


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (f"{wrong.__name__}:programme", f"module '{wrong.__name__}' has no attribute 'programme'"),
        ("no_such_module:program", "No module named 'no_such_module'"),
    ],
)
def test_a_program_that_is_not_there_is_named(tmp_path: Path, program: str, reason: str) -> None:
    assert said(tmp_path, program) == f"the program {program} of the kind wrong cannot be loaded: {reason}"
