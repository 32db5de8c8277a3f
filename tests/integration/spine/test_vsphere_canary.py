"""The password of a vCenter is in clear nowhere: in no state, log, event, report, plan, rendered file or traceback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from aiinfra.domains.vsphere.lab.block import LabVCenter
from tests.integration.spine.site import Site, Told
from tests.integration.spine.vcenters import block, in_vcenter, knowing, vcenter
from tests.integration.vcenter.client import PASSWORD, Simulator
from tests.integration.vsphere.fronts import Authority, Front, front

pytestmark = pytest.mark.engine
GOOD: Mapping[str, tuple[str, ...]] = {
    "validate": (),
    "plan": (),
    "explain": ("stacks.vgpu.vcenter.password",),
    "render": ("--out", "rendered"),
    "preview": (),
    "doctor": (),
    "up": ("--yes", "--events", "ndjson", "--summary", "summary.md", "--summary", "summary.xml"),
    "outputs": ("--output", "json"),
    "refresh": ("--output", "json"),
    "status": (),
    "why": ("vgpu",),
    "destroy": ("--yes",),
}
SLOW = LabVCenter(delays={"CloneVM_Task": 500})


@pytest.fixture
def simulated(tmp_path: Path, toolchain: Mapping[str, Path]) -> Iterator[Simulator]:
    with vcenter(toolchain["vcenter"], tmp_path / "vcenter", SLOW) as started:
        yield started


@pytest.fixture
def gate(simulated: Simulator, tmp_path: Path) -> Iterator[Front]:
    (tmp_path / "authority").mkdir()
    with front(Authority(tmp_path / "authority").server(), simulated.ready["port"]) as made:
        yield made


@pytest.fixture
def site(make_site: Callable[..., Site], simulated: Simulator, gate: Front) -> Site:
    made = make_site({"unused": {"kind": "things"}}, environment="vs")
    made.write({"vgpu": in_vcenter(block(simulated, port=gate.port, insecure=True))})
    return knowing(made)


def said(site: Site, verb: str, *words: str, code: int = 0) -> str:
    done = site.run(verb, "vs", *words)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def holding(site: Site, secret: str) -> list[Path]:
    """Files below the site that hold the secret."""
    return [path for path in site.folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_a_life_that_goes_well(site: Site) -> None:
    for verb, words in GOOD.items():
        assert PASSWORD not in said(site, verb, *words), verb
        assert holding(site, PASSWORD) == [], verb
    assert (site.folder / "rendered").is_dir()
    assert (site.folder / "summary.md").exists()


def test_a_password_that_is_refused_and_comes_back_in_the_answer(site: Site, gate: Front) -> None:
    wrong = "canary-wrong"
    echo = f"the account installer with {wrong} is unknown".encode()
    answer = b"Cannot complete login due to an incorrect user name or password."
    gate.change = lambda body: body.replace(b"InvalidLogin", b"SystemError").replace(answer, echo)
    text = said(knowing(site, wrong), "up", "--yes", code=3)
    assert "the account installer with <secret> is unknown" in text
    assert holding(site, wrong) == []


def test_a_bug_of_ours_that_quotes_it(site: Site, simulated: Simulator, gate: Front) -> None:
    mig = {"mode": "mig", "profile": "grid_a100-3-20c"}
    site.write({"vgpu": in_vcenter(block(simulated, port=gate.port, insecure=True), gpu=mig)})
    gate.change = lambda body: body.replace(b"0000:10:00.0", f"{PASSWORD}:10:00.0".encode())
    text = said(site, "up", "--yes", code=1)
    assert "aiinfra has a bug, ValueError: the details are in " in text
    (crash,) = site.folder.rglob("crashes/*.txt")
    assert "ValueError: invalid literal for int() with base 16: '<secret>'" in crash.read_text()
    assert holding(site, PASSWORD) == []


def test_a_bug_of_ours_that_quotes_it_in_the_middle_of_the_work(site: Site, gate: Front) -> None:
    events = []

    def on_event(event: Told, pid: int) -> bool:
        events.append(json.dumps(event))
        if event["type"] == "waiting":
            gate.change = lambda body: body.replace(b"vmx-15", f"vmx-{PASSWORD}".encode())
        return False

    assert site.until(on_event, "up", "vs", "--yes") == 4
    assert "ValueError: invalid literal for int() with base 10: '<secret>'" in events[-1]
    (log,) = site.folder.rglob("logs/vs-engine.log")
    assert f"report it with {log}" in events[-1]
    assert "ValueError: invalid literal for int() with base 10: '<secret>'" in log.read_text()
    assert PASSWORD not in "".join(events)
    assert holding(site, PASSWORD) == []
