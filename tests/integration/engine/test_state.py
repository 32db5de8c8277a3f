"""What lies in the state: one salt, no secret in clear, notes beside it; in a folder and in a bucket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pulumi
import pytest

from aiinfra.engine.host_client import EngineError
from aiinfra.engine.wire import Secret
from aiinfra.report.run import Verb
from tests.integration.cloud import Cloud, running_cloud
from tests.integration.engine.site import LIMIT, DoorResource, Site, chain

pytestmark = pytest.mark.engine
CANARY = "canary-7f3a-Pa55word"


def sealed_with(site: Site, stack: str) -> Any:
    return site.host.export(stack)["deployment"]["secrets_providers"]


def test_twenty_stacks_made_by_three_processes_have_one_salt(site: Site) -> None:
    for batch in (range(7), range(7, 14), range(14, 20)):
        site.start()
        asked = [site.begin(Verb.UP, f"s{number}", chain(1)) for number in batch]
        assert [handle.result(LIMIT).error for handle in asked] == [""] * len(batch)
        site.host.close()
    site.start()
    salts = {json.dumps(sealed_with(site, f"s{number}")) for number in range(20)}
    assert len(salts) == 1
    assert json.loads(salts.pop())["type"] == "passphrase"


def test_the_salt_of_the_first_stack_is_used_when_the_note_is_lost(site: Site) -> None:
    site.up("one", chain(1))
    site.host.notes_delete("site/secrets.json")
    site.start()
    site.up("two", chain(1))
    assert sealed_with(site, "one") == sealed_with(site, "two")


def test_two_hosts_that_start_a_new_environment_at_once_agree_on_the_salt(site: Site) -> None:
    hosts = [site.start() for _ in range(2)]
    threads = []
    for number, host in enumerate(hosts):
        one = replace(site, hosts=[host])
        threads.append(threading.Thread(target=one.up, args=(f"s{number}", chain(1))))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert sealed_with(site, "s0") == sealed_with(site, "s1")


def test_another_passphrase_is_refused(site: Site) -> None:
    site.up("one", chain(1))
    site.start(passphrase="wrong horse")
    with pytest.raises(EngineError, match="the passphrase does not open the secrets of this state") as refused:
        site.host.ready()
    assert refused.value.record.code == "engine.passphrase"
    assert site.up("one", chain(1)).code == "passphrase"


def test_without_a_passphrase_nothing_is_written(site: Site) -> None:
    site.start(passphrase=None)
    refused = site.up("one", chain(1))
    assert (refused.code, refused.error) == (
        "passphrase",
        "the state is encrypted with a passphrase and none was given",
    )


def leaking() -> None:
    hidden = pulumi.Output.secret(CANARY)
    DoorResource("door", {"password": hidden, "fails": hidden.apply(lambda value: f"login with {value} refused")})


def test_a_secret_is_in_no_file_no_log_and_no_event(site: Site) -> None:
    def program() -> None:
        hidden = pulumi.Output.secret(CANARY)
        DoorResource("door", {"password": hidden, "deep": {"list": [hidden, {"again": hidden}]}})
        pulumi.export("sealed", hidden)

    site.preview("one", program)
    assert site.up("one", program).outputs == {"sealed": Secret(CANARY)}
    site.do(Verb.REFRESH, "one")
    failed = site.up("two", leaking)
    assert failed.error
    site.destroy("one")
    site.host.close()
    seen = {**site.files(), "events": json.dumps(site.events), "log": site.log.read_text(), "error": failed.error}
    assert [name for name, text in seen.items() if CANARY in text] == []


def test_no_checkpoint_ever_holds_the_secret_in_clear_while_it_is_made(site: Site) -> None:
    def program() -> None:
        first = DoorResource("first", {"password": pulumi.Output.secret(CANARY)})
        DoorResource("second", {"after": first.id, "waits": True})

    handle = site.begin(Verb.UP, "one", program)
    site.wait_for_door()
    half_done = site.files()
    assert any("door" in text.lower() for text in half_done.values())
    assert [name for name, text in half_done.items() if CANARY in text] == []
    site.door.open.set()
    assert handle.result(LIMIT).error == ""


def test_notes_are_written_read_listed_and_deleted(site: Site) -> None:
    notes = site.host
    assert notes.notes_get("site/a") is None
    notes.notes_put("site/a", b"\x00one")
    assert notes.notes_create("site/a", b"two") is False
    assert notes.notes_create("site/deep/b", b"") is True
    assert (notes.notes_get("site/a"), notes.notes_get("site/deep/b")) == (b"\x00one", b"")
    assert notes.notes_list("site/") == ["site/a", "site/deep/b"]
    notes.notes_delete("site/a")
    notes.notes_delete("site/a")
    assert notes.notes_list("") == ["site/deep/b"]
    assert (site.state / ".aiinfra" / "site" / "deep" / "b").exists()


@pytest.fixture
def cloud(site: Site) -> Iterator[Cloud]:
    """The site's host knows how to reach it."""
    with running_cloud() as cloud:
        site.environ = cloud.environ
        yield cloud


def test_state_and_notes_lie_in_a_bucket(site: Site, cloud: Cloud) -> None:
    cloud.make_bucket("states")
    site.url = cloud.state_url("states", "/team/a")
    assert site.host.notes_create("site/lock.json", b"mine") is True
    assert site.host.notes_create("site/lock.json", b"yours") is False
    assert site.up("one", chain(3)).changes == {"create": 4}
    site.start()
    assert site.host.stacks() == ["one"]
    assert site.host.outputs("one") == {"count": 3, "last": "id-door2"}
    assert site.host.locks() == []
    assert site.host.notes_list("site/") == ["site/lock.json", "site/secrets.json"]
    assert site.destroy("one").changes == {"delete": 4}
    assert site.host.remove_stack("one") is True
    assert not site.state.exists()


def test_a_key_service_seals_the_secrets(site: Site, cloud: Cloud) -> None:
    key = cloud.make_key()
    site.start(secrets=key, passphrase=None)

    def program() -> None:
        pulumi.export("sealed", pulumi.Output.secret(CANARY))

    for stack in ("one", "two"):
        assert site.up(stack, program).outputs == {"sealed": Secret(CANARY)}
    assert sealed_with(site, "one")["state"]["url"] == key
    assert sealed_with(site, "one") == sealed_with(site, "two")
    assert [name for name, text in site.files().items() if CANARY in text] == []


class Vault(BaseHTTPRequestHandler):
    """The two calls of HashiCorp Vault's transit engine that a key service needs."""

    def do_PUT(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        told = (
            {"ciphertext": "vault:v1:" + asked["plaintext"][::-1]}
            if "/encrypt/" in self.path
            else {"plaintext": asked["ciphertext"].removeprefix("vault:v1:")[::-1]}
        )
        body = json.dumps({"data": told}).encode()
        self.send_response(200 if self.path.startswith("/v1/transit/") else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT

    def log_message(self, format: str, *args: object) -> None:
        return


def test_a_vault_seals_the_secrets_and_its_absence_is_said(site: Site) -> None:
    vault = ThreadingHTTPServer(("127.0.0.1", 0), Vault)
    thread = threading.Thread(target=vault.serve_forever)
    thread.start()
    site.environ = {"VAULT_SERVER_URL": f"http://127.0.0.1:{vault.server_port}", "VAULT_SERVER_TOKEN": "root"}

    def program() -> None:
        pulumi.export("sealed", pulumi.Output.secret(CANARY))

    site.start(secrets="hashivault://site", passphrase=None)
    assert site.up("one", program).outputs == {"sealed": Secret(CANARY)}
    vault.shutdown()
    thread.join()
    vault.server_close()
    site.start(secrets="hashivault://site", passphrase=None)
    refused = site.up("one", program)
    assert refused.code == "key_service"
    assert refused.error.startswith("the key service did not open the secrets of this state: ")
