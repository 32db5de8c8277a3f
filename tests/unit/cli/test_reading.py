"""The commands that only read files."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import jsonschema
import pytest

from aiinfra.catalog import Catalog
from aiinfra.config import load_environment
from aiinfra.ui.plan import plan_text
from aiinfra.ui.schemas import result_schema
from aiinfra.ui.terminal import Terminal
from tests.unit.cli.conftest import SMALL, Aiinfra
from tests.unit.site import a_world


def test_validate_says_how_many_stacks_a_good_file_has(aiinfra: Aiinfra) -> None:
    assert aiinfra("validate", "small").out == "small.yaml: 2 stacks, no problems\n"


def test_plan_is_a_table_in_order(aiinfra: Aiinfra) -> None:
    assert aiinfra("plan", "small").out == dedent("""\
        small · 2 stacks · in a lab on this machine, simulated
          stack    kind              needs    settings  certainty
          cluster  existing_cluster  -        -         exact
          nfd      nfd               cluster  -         unknown until cluster: uid, server, version
        critical path cluster → nfd · the world was not asked
        """)


def test_plan_shows_settings_and_the_secrets_that_up_would_read_but_never_reads_them(
    aiinfra: Aiinfra, tmp_path: Path
) -> None:
    (tmp_path / "dc1.yaml").write_text(
        dedent("""\
        version: v1
        name: dc1
        state: {url: "s3://infra-state"}
        stacks:
          cluster: {kind: existing_cluster, kubeconfig: "${file:/nowhere/config}"}
          gpu-operator: {kind: gpu_operator, cluster: "${cluster}", nfd: bundled}
        """)
    )
    assert aiinfra("plan", "dc1").out == dedent("""\
        dc1 · 2 stacks · state s3://infra-state
          stack         kind              needs    settings                            certainty
          cluster       existing_cluster  -        kubeconfig ${file:/nowhere/config}  exact
          gpu-operator  gpu_operator      cluster  nfd bundled                         unknown until cluster: uid, server, version
        critical path cluster → gpu-operator · neither the state nor the world was asked
        `up` reads ${file:/nowhere/config}
        """)
    assert aiinfra("plan", "dc1", "--output", "json").json["secrets"] == ["${file:/nowhere/config}"]


def test_a_plan_for_machines_says_how_sure_it_is_of_each_stack(aiinfra: Aiinfra) -> None:
    told = aiinfra("plan", "small", "--output", "json").json
    assert [stack["certainty"] for stack in told["stacks"]] == [
        {"level": "exact", "until": {}, "foreign": ""},
        {"level": "unknown", "until": {"cluster": ["uid", "server", "version"]}, "foreign": "what its chart brings"},
    ]
    assert told["critical_path"] == {
        "stacks": ["cluster", "nfd"],
        "usual_seconds": None,
        "never_ran": ["cluster", "nfd"],
    }


def test_a_terminal_too_narrow_for_the_table_gets_one_stack_below_the_other(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    plan = load_environment("small", world=a_world(tmp_path), catalog=Catalog.installed()).plan
    assert plan_text(plan, Terminal(width=40)) == dedent("""\
        small · 2 stacks · in a lab on this
        machine, simulated
          cluster
            kind existing_cluster
            needs -
            settings -
            certainty exact
          nfd
            kind nfd
            needs cluster
            settings -
            certainty unknown until cluster:
            uid, server, version
        critical path cluster → nfd · the world
        was not asked""")


@pytest.mark.parametrize("command", [["validate", "small"], ["plan", "small"], ["kinds"], ["status", "small"]])
def test_every_answer_has_the_same_envelope(command: list[str], aiinfra: Aiinfra) -> None:
    answer = aiinfra(*command, "--output", "json")
    assert (answer.code, answer.err) == (0, "")
    jsonschema.validate(answer.json, result_schema())
    assert (answer.json["command"], answer.json["exit_code"], answer.json["errors"]) == (command[0], 0, [])


def test_a_value_can_be_set_on_the_command_line(aiinfra: Aiinfra) -> None:
    answer = aiinfra("plan", "small", "--set", "stacks.nfd.namespace=labels")
    assert "nfd               cluster  namespace labels" in answer.out


def test_kinds_are_listed_with_their_summaries(aiinfra: Aiinfra) -> None:
    assert aiinfra("kinds").out.splitlines()[1].startswith("nfd                   Node Feature Discovery: ")


def test_status_of_an_environment_that_was_never_up(aiinfra: Aiinfra) -> None:
    assert aiinfra("status", "small").out == dedent("""\
        small · lab (does not run)
          ○  cluster  existing_cluster  not created
          ○  nfd      nfd               not created
        """)


def test_init_writes_an_environment_that_validates(aiinfra: Aiinfra, tmp_path: Path) -> None:
    assert aiinfra("init", "my-lab").out == "wrote my-lab.yaml; next: aiinfra plan my-lab, then aiinfra up my-lab\n"
    assert (tmp_path / "my-lab.yaml").read_text().startswith("# my-lab: a GPU platform in a lab on this machine.")
    assert aiinfra("validate", "my-lab").code == 0


def test_init_prefers_the_folder_of_environments(aiinfra: Aiinfra, tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    aiinfra("init", "dc1")
    assert (tmp_path / "environments" / "dc1.yaml").is_file()


@pytest.mark.parametrize("of", ["environment", "events", "result"])
def test_schemas_are_schemas(of: str, aiinfra: Aiinfra) -> None:
    document = aiinfra("schema", of).json
    jsonschema.Draft202012Validator.check_schema(document)
    assert document["$id"].startswith("urn:aiinfra.")


def test_render_into_what_is_no_folder_is_said(aiinfra: Aiinfra, tmp_path: Path) -> None:
    (tmp_path / "afile").write_text("mine\n")
    answer = aiinfra("render", "small", "--out", "afile")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.splitlines()[0] == f"✗ {tmp_path}/afile/nfd: the file cannot be written: Not a directory"
    assert answer.err.splitlines()[-1] == "  code config.unwritable · exit 2"
    assert (tmp_path / "afile").read_text() == "mine\n"
