"""What the target decides: defaults, and what a lab puts in the place of the outside."""

from __future__ import annotations

from aiinfra.domains.vsphere.block import VCenterSpec
from aiinfra.plan.secrets import needed_secrets
from tests.unit.site import GOOD, Site

REAL = """\
version: v1
name: site
state: {url: "s3://bucket", secrets: "awskms://key"}
vcenter: {host: vc, user: "${env:U}", password: "${env:P}"}
stacks:
  cluster: {kind: cluster, kubeconfig: "${file:k}"}
  app: {kind: app, cluster: "${cluster}", password: "${env:A}"}
"""


def test_state_has_a_default_on_a_real_target_only(site: Site) -> None:
    assert site.load().environment.state.url == "file://~/.aiinfra/state"
    assert site.load("site.yaml", "target=lab").environment.state.url == ""


def test_a_lab_takes_nothing_that_reaches_the_outside(site: Site) -> None:
    site.write("site.yaml", REAL)
    loaded = site.load(target="lab")
    environment = loaded.environment
    assert environment.target == "lab"
    assert (environment.state.url, environment.state.secrets) == ("", "passphrase")
    block = environment.blocks["vcenter"]
    assert isinstance(block, VCenterSpec)
    assert (block.host, block.password) == ("lab", "lab")
    assert [str(source) for source, _ in needed_secrets(loaded.plan)] == ["${env:A}"]


def test_a_real_target_keeps_what_the_file_says(site: Site) -> None:
    site.write("site.yaml", REAL)
    loaded = site.load()
    assert [str(source) for source, _ in needed_secrets(loaded.plan)] == [
        "${env:U}", "${env:P}", "${file:k}", "${env:A}",
    ]  # fmt: skip


def test_a_file_for_a_lab_may_say_so_itself(site: Site) -> None:
    site.write("site.yaml", REAL + "target: lab\n")
    assert [str(source) for source, _ in needed_secrets(site.load().plan)] == ["${env:A}"]


def test_a_problem_in_what_a_lab_replaces_is_not_asked_for(site: Site) -> None:
    site.write("site.yaml", GOOD + "target: lab\nstate: {url: 3}\n")
    assert site.says() == []
