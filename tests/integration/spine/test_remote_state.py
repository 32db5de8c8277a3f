"""Environments whose state is remote: a bucket, a key service, and what is said when either does not serve."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cloud import Cloud, running_cloud
from tests.integration.spine.conftest import CANARY
from tests.integration.spine.site import Site, Told, engine_of, kill

pytestmark = pytest.mark.engine
Make = Callable[..., Site]
TWO = {"a": {"kind": "things", "password": "${env:CANARY}"}, "b": {"kind": "things", "after": "${a.last}"}}
META = "team/.pulumi/meta.yaml"
"""Pulumi's mark of the storage itself, which other environments share."""


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with running_cloud() as cloud:
        cloud.make_bucket("states")
        yield cloud


@pytest.fixture
def make_remote(make_site: Make, cloud: Cloud) -> Make:
    """`make_remote(stacks, …)`: an environment whose state lies in the bucket `states`."""

    def make(stacks: Mapping[str, Any], secrets: str = "passphrase", **more: Any) -> Site:
        made = make_site({}, **more)
        site = replace(made, environ={**made.environ, **cloud.environ})
        rewrite(site, cloud, stacks, secrets)
        return site

    return make


def rewrite(site: Site, cloud: Cloud, stacks: Mapping[str, Any], secrets: str = "passphrase") -> None:
    site.write(stacks, state={"url": cloud.state_url("states", "/team"), "secrets": secrets})


def slow(site: Site, **more: Any) -> dict[str, Any]:
    return {"a": {"kind": "things", "count": 2, "delay": 0.5, "folder": str(site.things), **more}}


def outcomes(told: Told) -> dict[str, str]:
    return {result["stack"]: result["outcome"] for result in told["results"]}


def without(site: Site, *prefixes: str) -> Site:
    """The same environment for somebody who lacks these variables."""
    return replace(site, environ={k: v for k, v in site.environ.items() if not k.startswith(prefixes)})


def elsewhere(site: Site, name: str) -> Site:
    """The same environment on another machine's HOME."""
    home = site.folder / name
    home.mkdir()
    return replace(site, environ={**site.environ, "HOME": str(home)})


def in_clear(cloud: Cloud, *hidden: str) -> list[str]:
    """Names of objects in the bucket that show one of these."""
    return [key for key, value in cloud.objects("states").items() if any(one.encode() in value for one in hidden)]


def interrupted(site: Site, victim: str) -> str:
    """Kill `up` inside a Create; what it said before."""

    def strike(event: Told, pid: int) -> bool:
        if event["type"] == "waiting":
            engine = engine_of(pid)
            assert engine is not None
            if victim == "both":
                kill(engine)
            kill(pid)
            return True
        return False

    assert site.until(strike, "up", site.environment, "--yes") < 0
    return site.stderr.read_text()


class TestABucket:
    def test_the_life_of_an_environment(self, make_remote: Make, cloud: Cloud) -> None:
        site = make_remote(TWO)
        assert outcomes(site.result("up")) == {"a": "changed", "b": "changed"}
        status = site.run("status", "world")
        assert status.returncode == 0
        assert "state s3://states/team\n" in status.stdout
        assert "held by" not in status.stdout
        told = json.loads(site.run("outputs", "world", "--output", "json").stdout)
        assert told["outputs"]["a"] == {"last": told["outputs"]["a"]["last"], "password": "<secret>", "text": "a"}
        rewrite(site, cloud, {**TWO, "b": {"kind": "things", "text": "b"}})
        assert outcomes(site.result("up")) == {"a": "unchanged", "b": "changed"}
        assert in_clear(cloud, CANARY, "only a test", "secret-of-the-cloud-4f1b") == []
        assert not site.state.exists()
        assert site.result("destroy")["exit_code"] == 0
        assert list(cloud.objects("states")) == [META]

    def test_an_up_that_changes_nothing_reads_the_format_and_notes_only(self, make_remote: Make, cloud: Cloud) -> None:
        site = make_remote(TWO)
        site.result("up")
        cloud.asked.clear()
        assert outcomes(site.result("up")) == {"a": "unchanged", "b": "unchanged"}
        assert [request for request in cloud.asked if ".pulumi/" in request] == [
            f"HEAD /states/{META}",
            f"GET /states/{META}",
        ]

    def test_environments_in_one_folder_of_a_bucket_leave_each_other_alone(
        self, make_remote: Make, cloud: Cloud
    ) -> None:
        one, two = make_remote(TWO, name="one"), make_remote(TWO, name="two", environment="other")
        assert one.result("up")["exit_code"] == two.result("up")["exit_code"] == 0
        assert one.result("destroy")["exit_code"] == 0
        assert outcomes(two.result("up", "--no-skip")) == {"a": "unchanged", "b": "unchanged"}
        assert two.result("destroy")["exit_code"] == 0
        assert list(cloud.objects("states")) == [META]

    def test_two_runs_at_once_are_one_run_and_a_refusal(self, make_remote: Make, cloud: Cloud) -> None:
        site = make_remote({})
        for number in range(5):
            dead = number >= 3
            rewrite(site, cloud, slow(site, text=str(number), delay=1.0))
            if dead:
                interrupted(site, "both")
            codes, said = race(site)
            assert codes == [0, 3], said
            assert "another run holds this environment: aiinfra up world, pid " in said
            assert site.inventory() == ["a-0", "a-1"]
            assert site.result("destroy")["exit_code"] == 0
        assert list(cloud.objects("states")) == [META]

    def test_the_lock_names_the_process_and_its_engine(self, make_remote: Make, cloud: Cloud) -> None:
        site, seen = make_remote({}), list[Told]()
        rewrite(site, cloud, slow(site, delay=3))

        def look(event: Told, pid: int) -> bool:
            if event["type"] == "waiting":
                holder = json.loads(cloud.objects("states")["team/.aiinfra/world/lock.json"])
                assert (holder["pid"], holder["engine_pid"]) == (pid, engine_of(pid))
                seen.append(holder)
            return bool(seen)

        assert site.until(look, "up", "world", "--yes") == 0
        assert [holder["command"] for holder in seen] == ["aiinfra up world"]

    @pytest.mark.parametrize("victim", ["caller", "both"])
    def test_after_a_kill_the_next_run_converges(self, make_remote: Make, cloud: Cloud, victim: str) -> None:
        site = make_remote({})
        rewrite(site, cloud, slow(site))
        interrupted(site, victim)
        done = site.run("up", "world", "--yes")
        assert done.returncode == 0, done.stderr
        assert "cleared the lock of an interrupted run: aiinfra up world, pid " in done.stdout + done.stderr
        assert site.inventory() == ["a-0", "a-1"]
        assert outcomes(site.result("up")) == {"a": "unchanged"}

    def test_after_a_kill_of_the_engine_the_lock_is_released(self, make_remote: Make, cloud: Cloud) -> None:
        site = make_remote({})
        rewrite(site, cloud, slow(site))

        def strike(event: Told, pid: int) -> bool:
            if event["type"] == "waiting":
                kill(engine_of(pid))
                return True
            return False

        assert site.until(strike, "up", "world", "--yes") == 4
        assert "team/.aiinfra/world/lock.json" not in cloud.objects("states")
        assert site.result("up")["exit_code"] == 0
        assert site.inventory() == ["a-0", "a-1"]


def race(site: Site) -> tuple[list[int], str]:
    """Two `up` at once: their exit codes in order, and what both said."""
    runs = [
        subprocess.Popen(
            site.command("up", "world", "--yes"),
            cwd=site.folder,
            env=site.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    said = [run.communicate(timeout=300)[0] for run in runs]
    return sorted(run.returncode for run in runs), "\n".join(said)


class TestAKeyService:
    def test_the_life_of_an_environment_without_any_passphrase(self, make_remote: Make, cloud: Cloud) -> None:
        site = without(make_remote(TWO, cloud.make_key()), "PULUMI")
        assert outcomes(site.result("up")) == {"a": "changed", "b": "changed"}
        assert in_clear(cloud, CANARY) == []
        assert outcomes(site.result("up")) == {"a": "unchanged", "b": "unchanged"}
        assert "password  <secret>" in site.run("outputs", "world", "a").stdout
        assert site.result("destroy")["exit_code"] == 0
        assert list(cloud.objects("states")) == [META]
        assert [path for path in Path(site.environ["HOME"]).rglob("keys/*")] == []

    def test_another_machine_runs_each_stack_once_and_then_skips(self, make_remote: Make, cloud: Cloud) -> None:
        site = without(make_remote(TWO, cloud.make_key()), "PULUMI")
        site.result("up")
        other = elsewhere(site, "other-home")
        first = other.result("up")
        assert [result["reason"] for result in first["results"]] == ["no_difference"] * 2
        again = other.result("up")
        assert [result["reason"] for result in again["results"]] == ["inputs_unchanged"] * 2

    def test_a_key_that_is_not_there_makes_nothing(self, make_remote: Make, cloud: Cloud) -> None:
        absent = "awskms:///11111111-2222-4333-8444-555555555555?region=us-east-1"
        site = without(make_remote(TWO, absent), "PULUMI")
        done = site.run("up", "world", "--yes")
        assert done.returncode == 3
        assert "the key service did not seal a data key: NotFoundException: " in done.stderr
        assert "code engine.key_service" in done.stderr
        assert cloud.objects("states") == {}

    def test_a_key_that_we_may_not_use_any_more_leaves_the_state_as_it_is(
        self, make_remote: Make, cloud: Cloud
    ) -> None:
        site = without(make_remote(TWO, cloud.make_key()), "PULUMI")
        site.result("up")
        before = cloud.objects("states")
        cloud.denied.add("Decrypt")
        other = elsewhere(site, "other-home")
        for verb in ("up", "destroy"):
            done = other.run(verb, "world", "--yes")
            assert done.stderr == (
                "✗ s3://states/team: the key service did not open the secrets of this state: "
                "AccessDeniedException: you may not use this key\n"
                "  → check the key's URL in state.secrets and the credentials for it\n"
                "  code engine.key_service · exit 3\n"
            )
            assert done.returncode == 3
            assert cloud.objects("states") == before

    def test_a_key_service_that_does_not_answer_is_said(self, make_remote: Make, cloud: Cloud) -> None:
        site = without(make_remote(TWO, cloud.make_key()), "PULUMI")
        nowhere = replace(site, environ={**site.environ, "AWS_ENDPOINT_URL_KMS": "http://127.0.0.1:9"})
        done = nowhere.run("up", "world", "--yes", timeout=30)
        assert done.returncode == 3
        assert (
            "the key service did not seal a data key: dial tcp 127.0.0.1:9: connect: connection refused" in done.stderr
        )
        assert cloud.objects("states") == {}

    def test_an_environment_moves_from_a_passphrase_to_a_key(self, make_remote: Make, cloud: Cloud) -> None:
        site = make_remote(TWO)
        site.result("up")
        rewrite(site, cloud, {**TWO, "b": {"kind": "things", "text": "b"}}, cloud.make_key())
        assert site.result("up", "--no-skip")["exit_code"] == 0
        later = without(site, "PULUMI")
        assert site.result("up")["exit_code"] == 0
        assert later.result("up", "--no-skip")["exit_code"] == 0
        assert in_clear(cloud, CANARY) == []


class TestAPassphrase:
    def test_a_wrong_one_touches_nothing(self, make_remote: Make, cloud: Cloud) -> None:
        site = make_remote(TWO)
        site.result("up")
        before = cloud.objects("states")
        wrong = replace(site, environ={**site.environ, "PULUMI_CONFIG_PASSPHRASE": "another one"})
        for words in (("up", "--yes"), ("preview",), ("refresh",), ("destroy", "--yes"), ("outputs",)):
            done = wrong.run(words[0], "world", *words[1:])
            assert done.returncode == 3, (words, done.stdout, done.stderr)
            assert done.stderr == (
                f"✗ {'a' if words == ('outputs',) else 's3://states/team'}: "
                "the passphrase does not open the secrets of this state\n"
                "  → set PULUMI_CONFIG_PASSPHRASE to the passphrase that this state was made with\n"
                "  code engine.passphrase · exit 3\n"
            )
            assert cloud.objects("states") == before

    def test_it_may_lie_in_a_file(self, make_site: Make) -> None:
        site = make_site(TWO)
        site.result("up")
        (site.folder / "phrase").write_text("only a test\n")
        filed = replace(
            without(site, "PULUMI"),
            environ={
                **without(site, "PULUMI").environ,
                "PULUMI_CONFIG_PASSPHRASE_FILE": str(site.folder / "phrase"),
            },
        )
        assert outcomes(filed.result("up")) == {"a": "unchanged", "b": "unchanged"}
        assert outcomes(filed.result("up", "--no-skip")) == {"a": "unchanged", "b": "unchanged"}
        (site.folder / "phrase").unlink()
        done = filed.run("up", "world", "--yes")
        assert done.returncode == 2
        assert "the passphrase file cannot be read: No such file or directory" in done.stderr


class TestAnotherFormat:
    @pytest.mark.parametrize(
        ("meta", "says"),
        [
            (
                "version: 2\n",
                "✗ s3://states/team: the state is of a newer format than this aiinfra knows\n"
                "  → use an aiinfra that is as new as what wrote it last, or another state.url\n"
                "  code engine.newer · exit 3\n",
            ),
            (
                "version: 0\n",
                "✗ s3://states/team: the state is of Pulumi's old format, whose stacks belong to no project\n"
                "  → run pulumi state upgrade on it\n"
                "  code engine.legacy · exit 3\n",
            ),
        ],
    )
    def test_it_is_refused_before_any_step(self, make_remote: Make, cloud: Cloud, meta: str, says: str) -> None:
        site = make_remote(TWO)
        assert site.result("up")["exit_code"] == 0
        cloud.put("states", META, meta)
        before = cloud.objects("states")
        for words in (("up", "--yes"), ("up", "--yes", "--no-skip"), ("preview",), ("refresh",), ("destroy", "--yes")):
            done = site.run(words[0], "world", *words[1:])
            assert (done.returncode, done.stdout, done.stderr) == (3, "", says), words
        assert cloud.objects("states") == before


NOBODY = "http://me:hunter2@127.0.0.1:9"


class TestAStateThatDoesNotServe:
    @pytest.mark.parametrize(
        ("url", "says"),
        [
            (
                f"s3://states?endpoint={NOBODY}&s3ForcePathStyle=true",
                "s3://states: the state does not answer: dial tcp 127.0.0.1:9: connect: connection refused",
            ),
            (
                "s3://absent?{cloud}",
                "s3://absent: the state refused: NoSuchBucket: The specified bucket does not exist",
            ),
            (
                "s3://states?{cloud}&token=hunter2",
                's3://states: open bucket s3://states: unknown query parameter "token"',
            ),
            (
                "file:///proc/nowhere/state",
                "/proc/nowhere: the state's folder cannot be used: No such file or directory",
            ),
        ],
    )
    def test_it_is_named_and_nothing_is_made(self, make_remote: Make, cloud: Cloud, url: str, says: str) -> None:
        site = make_remote(TWO)
        parameters = cloud.state_url("states").partition("?")[2]
        site.write(TWO, state={"url": url.replace("{cloud}", parameters)})
        done = site.run("up", "world", "--yes", timeout=30)
        assert done.stderr.splitlines()[0] == f"✗ {says}"
        assert done.returncode == 3
        assert "hunter2" not in done.stdout + done.stderr
        assert cloud.objects("states") == {}

    @pytest.mark.parametrize("words", [("status",), ("outputs",), ("doctor",), ("preview",), ("destroy", "--yes")])
    def test_a_missing_bucket_is_not_taken_for_an_empty_one(
        self, make_remote: Make, cloud: Cloud, words: tuple[str, ...]
    ) -> None:
        site = make_remote(TWO)
        site.write(TWO, state={"url": cloud.state_url("absent")})
        done = site.run(words[0], "world", *words[1:])
        assert done.returncode == 3
        assert "s3://absent" in done.stdout + done.stderr
        assert "does not exist" in done.stdout + done.stderr

    def test_no_credentials(self, make_remote: Make, cloud: Cloud) -> None:
        site = without(make_remote(TWO), "AWS_ACCESS", "AWS_SECRET")
        bare = replace(site, environ={**site.environ, "AWS_EC2_METADATA_DISABLED": "true"})
        done = bare.run("up", "world", "--yes", timeout=30)
        assert done.stderr.splitlines()[0] == "✗ s3://states/team: the state refused: no credentials are found"
        assert done.returncode == 3

    def test_a_relative_folder_starts_at_the_file(self, make_site: Make) -> None:
        site = make_site({})
        site.write({"a": {"kind": "things"}}, state={"url": "file://./kept here"})
        assert site.result("up")["exit_code"] == 0
        (site.folder / "below").mkdir()
        below = subprocess.run(
            site.command("up", "../world.yaml", "--yes", "--output", "json"),
            cwd=site.folder / "below",
            env=site.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert outcomes(json.loads(below.stdout)) == {"a": "unchanged"}
        assert (site.folder / "kept here" / ".pulumi" / "stacks" / "world" / "a.json").exists()
        assert list((site.folder / "below").iterdir()) == []
