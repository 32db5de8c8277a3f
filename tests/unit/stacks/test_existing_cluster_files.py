"""A kubeconfig beside its certificates is read from its own folder, wherever the environment file lies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aiinfra.catalog import Catalog
from aiinfra.config import load_environment
from aiinfra.errors import ConfigError
from aiinfra.plan.secrets import read_secrets
from tests.unit.kube.test_kubeconfig import a_kubeconfig
from tests.unit.site import a_world

ENVIRONMENT = """\
version: v1
name: site
state: {url: "file://state"}
stacks:
  cluster: {kind: existing_cluster, kubeconfig: "${file:conf/site}"}
"""


def read(folder: Path) -> str:
    (folder / "site.yaml").write_text(ENVIRONMENT)
    (folder / "conf").mkdir(exist_ok=True)
    cluster = {"server": "https://x", "certificate-authority": "ca.pem"}
    (folder / "conf/site").write_text(json.dumps(a_kubeconfig(clusters=[{"name": "c", "cluster": cluster}])))
    world = a_world(folder)
    loaded = load_environment(str(folder / "site.yaml"), world=world, catalog=Catalog.installed())
    return next(iter(read_secrets(loaded.plan, world, loaded.path, where=loaded.where).values()))


def test_what_lies_beside_it_is_a_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/ca.pem").write_text("pem")
    text = read(tmp_path)
    assert "certificate-authority-data: cGVt" in text
    assert "ca.pem" not in text


def test_what_is_not_there_is_named_where_the_kubeconfig_is_used(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path)
    problem = caught.value.problems[0]
    assert problem.where.endswith("site.yaml:5:49")
    assert (problem.path, problem.message) == (
        "stacks.cluster.kubeconfig",
        f"certificate-authority of the kubeconfig cannot be read: No such file or directory: {tmp_path}/conf/ca.pem",
    )
