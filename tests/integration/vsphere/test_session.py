"""Ways to a vCenter that works, and each way that does not: one thing of a good world is broken, and one sentence said."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.vsphere.client.access import Access
from aiinfra.domains.vsphere.client.errors import VSphereError
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.reading.sites import read_sites
from aiinfra.waiting import Stopped
from tests.integration.vsphere.conftest import Opened
from tests.integration.vsphere.fronts import DAY, NOW, Authority, Front, front
from tests.integration.vsphere.world import PASSWORD, USER, WANTED, Running, running, world


def at(port: int, **changes: Any) -> Access:
    own: dict[str, Any] = {"host": "127.0.0.1", "port": port, "user": USER, "password": PASSWORD}
    return Access(**{**own, **changes})


def refused(opened: Opened, access: Access, **changes: Any) -> tuple[str, str, str, bool]:
    with pytest.raises(VSphereError) as caught:
        opened(access, **changes)
    record = caught.value.record
    return record.code, record.message, record.hint, record.transient


def test_who_answers_is_known(lab: Running, opened: Opened) -> None:
    about = opened(lab.access()).about
    assert (about.version, about.api_version) == ("8.0.3", "8.0.3.0")
    assert about.instance_uuid


def test_an_authority_of_the_site_is_trusted(before: Front, authority: Authority, opened: Opened) -> None:
    assert opened(at(before.port, ca=authority.pem)).about.version == "8.0.3"


def test_a_pinned_certificate_is_trusted_in_any_spelling(lab: Running, opened: Opened) -> None:
    assert opened(lab.access(fingerprint=lab.fingerprint.replace(":", "").lower())).about.version == "8.0.3"


def test_anybody_is_trusted_only_aloud(lab: Running, opened: Opened) -> None:
    vcenter = opened(lab.access(fingerprint="", insecure=True))
    assert repr(vcenter) == f"VCenter(127.0.0.1:{lab.port} (certificate not verified))"


def test_an_unknown_authority(lab: Running, opened: Opened) -> None:
    assert refused(opened, lab.access(fingerprint="")) == (
        "vsphere.tls",
        f"the certificate of 127.0.0.1:{lab.port} is signed by no authority that this machine knows",
        f"give its root certificates as ca, or pin its fingerprint ({lab.fingerprint}; "
        "compare it on the vCenter itself)",
        False,
    )


def test_another_authority_than_the_site_s(lab: Running, authority: Authority, opened: Opened) -> None:
    told = refused(opened, lab.access(fingerprint="", ca=authority.pem))
    assert told[1] == f"the certificate of 127.0.0.1:{lab.port} is signed by no authority in ca"


def test_an_expired_certificate(lab: Running, authority: Authority, opened: Opened) -> None:
    with front(authority.server(until=NOW - DAY), lab.port) as expired:
        assert refused(opened, at(expired.port, ca=authority.pem)) == (
            "vsphere.tls",
            f"the certificate of 127.0.0.1:{expired.port} has expired",
            "renew it on the vCenter, and check the clock of this machine",
            False,
        )


def test_a_certificate_for_another_name(lab: Running, authority: Authority, opened: Opened) -> None:
    with front(authority.server("vc.elsewhere.example"), lab.port) as other:
        assert refused(opened, at(other.port, ca=authority.pem)) == (
            "vsphere.tls",
            f"the certificate of 127.0.0.1:{other.port} is for another name",
            "reach the vCenter by the name in its certificate, or pin its fingerprint",
            False,
        )


def test_another_certificate_than_the_pinned_one_shows_both(lab: Running, opened: Opened) -> None:
    pinned = ":".join(["AB"] * 32)
    assert refused(opened, lab.access(fingerprint=pinned)) == (
        "vsphere.tls",
        f"127.0.0.1:{lab.port} shows another certificate than the pinned one: {lab.fingerprint}, "
        f"and {pinned} is pinned",
        "if its certificate was renewed, compare the new fingerprint on the vCenter itself, then pin it",
        False,
    )


def test_a_fingerprint_that_is_no_sha256(lab: Running, opened: Opened) -> None:
    code, message, hint, _ = refused(opened, lab.access(fingerprint="AB:" * 19 + "AB"))
    assert (code, message) == (
        "vsphere.tls",
        f"the fingerprint for 127.0.0.1:{lab.port} is not a SHA-256: it has 40 digits, not 64 hexadecimal ones",
    )
    assert hint == (
        f"openssl s_client -connect 127.0.0.1:{lab.port} </dev/null | openssl x509 -noout -sha256 -fingerprint"
    )


@pytest.mark.parametrize("ca", ["nothing", "-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n", "ä"])
def test_authorities_that_are_none(lab: Running, opened: Opened, ca: str) -> None:
    assert refused(opened, lab.access(fingerprint="", ca=ca)) == (
        "vsphere.tls",
        f"ca of 127.0.0.1:{lab.port} holds no certificate that can be read",
        "write ca: ${file:PATH} with a PEM file",
        False,
    )


def test_a_name_that_nobody_knows(opened: Opened) -> None:
    assert refused(opened, Access("vc.invalid", USER, PASSWORD)) == (
        "vsphere.unreachable",
        "the name vc.invalid cannot be resolved",
        "check the vCenter's name and the DNS servers of this machine",
        False,
    )


def test_a_port_that_nobody_serves(opened: Opened) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert refused(opened, at(port)) == (
        "vsphere.unreachable",
        f"127.0.0.1 refuses connections on port {port}",
        "check that it is up and that this machine can reach it",
        True,
    )


def test_something_without_tls(opened: Opened) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer() -> None:
            line, _ = listener.accept()
            line.recv(4096)
            line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            line.close()

        threading.Thread(target=answer).start()
        code, message, hint, _ = refused(opened, at(port))
    assert code == "vsphere.tls"
    assert message == f"127.0.0.1:{port} does not speak TLS as a vCenter does: wrong version number"
    assert hint == "check host and port: a vCenter serves its API with TLS, on port 443 unless it was changed"


@pytest.mark.parametrize(
    ("status", "page", "found"),
    [(404, b"<html>Not Found</html>", "HTTP 404"), (200, b"<html>Welcome</html>", "no list of API versions")],
)
def test_a_server_that_is_no_vcenter(
    authority: Authority, opened: Opened, status: int, page: bytes, found: str
) -> None:
    with front(authority.server()) as other:
        other.status, other.page = status, page
        assert refused(opened, at(other.port, ca=authority.pem)) == (
            "vsphere.not_vcenter",
            f"what answers at 127.0.0.1:{other.port} is no vCenter: /sdk/vimServiceVersions.xml gives {found}",
            "check host and port of the vCenter",
            False,
        )


def test_a_vcenter_that_is_starting(before: Front, authority: Authority, opened: Opened) -> None:
    before.status = 503
    assert refused(opened, at(before.port, ca=authority.pem)) == (
        "vsphere.unreachable",
        f"127.0.0.1:{before.port} is not ready: it answers HTTP 503 Service Unavailable",
        "wait until the services of the vCenter have started",
        True,
    )


def test_an_esxi_host(before: Front, authority: Authority, opened: Opened) -> None:
    before.change = lambda body: body.replace(b">VirtualCenter<", b">HostAgent<")
    code, message, hint, _ = refused(opened, at(before.port, ca=authority.pem))
    assert code == "vsphere.not_vcenter"
    assert message.startswith(f"127.0.0.1:{before.port} is an ESXi host (")
    assert hint == "name the vCenter that manages it"


def test_a_wrong_password_is_refused_and_never_shown(lab: Running, opened: Opened) -> None:
    access = lab.access(password="wrong-canary")
    assert refused(opened, access) == (
        "vsphere.login",
        f"127.0.0.1:{lab.port} does not accept the user or its password",
        "check both in the vcenter block",
        False,
    )
    assert "canary" not in repr(access)


def test_an_api_that_is_too_old_for_dynamic_directpath(program: Path, opened: Opened) -> None:
    with running(program, world(apiVersion="6.7", version="6.7.0")) as old:
        vcenter = opened(old.access())
        with pytest.raises(VSphereError) as caught:
            vcenter.require_api("7.0", "dynamic DirectPath I/O")
        assert caught.value.record.message == (
            f"dynamic DirectPath I/O needs vSphere API 7.0, 127.0.0.1:{old.port} has 6.7"
        )
        vcenter.require_api("6.7", "anything else")


def test_a_vcenter_that_does_not_answer(before: Front, authority: Authority, opened: Opened) -> None:
    vcenter = opened(at(before.port, ca=authority.pem), timeout=0.6)
    before.silent = "CurrentTime"
    with pytest.raises(VSphereError) as caught:
        now(vcenter)
    assert caught.value.record.message == f"127.0.0.1:{before.port} did not answer within 0.6 s"
    assert caught.value.record.transient


def test_a_stop_ends_a_request_that_hangs(
    before: Front, authority: Authority, opened: Opened, stop: threading.Event
) -> None:
    vcenter = opened(at(before.port, ca=authority.pem))
    before.silent = "CurrentTime"
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(Stopped, match=r"an answer of 127\.0\.0\.1"):
        now(vcenter)
    before.silent = ""
    assert now(vcenter), "who cleans up after a stop can still ask"


def test_the_stop_of_one_step_ends_its_read_alone(before: Front, authority: Authority, opened: Opened) -> None:
    vcenter, stop = opened(at(before.port, ca=authority.pem)), threading.Event()
    step = vcenter.reporting_to(stop, lambda text: None)
    before.silent = "QueryConfigTarget"
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(Stopped, match=r"an answer of 127\.0\.0\.1"):
        read_sites(step, [WANTED])
    before.silent = ""
    assert read_sites(vcenter, [WANTED])


def test_a_vcenter_that_dies_in_the_middle(before: Front, authority: Authority, opened: Opened) -> None:
    vcenter = opened(at(before.port, ca=authority.pem))
    before.cut = "CurrentTime"
    with pytest.raises(VSphereError) as caught:
        now(vcenter)
    record = caught.value.record
    assert record.message == f"127.0.0.1:{before.port} broke the connection off before its answer was complete"
    assert (record.code, record.transient) == ("vsphere.unreachable", True)
    before.cut = ""
    assert now(vcenter)


def test_a_connection_that_was_closed_while_idle_is_made_anew(
    before: Front, authority: Authority, opened: Opened
) -> None:
    vcenter = opened(at(before.port, ca=authority.pem))
    now(vcenter)
    before.cut_lines()
    assert now(vcenter)


def test_an_answer_that_is_no_soap(before: Front, authority: Authority, opened: Opened) -> None:
    vcenter = opened(at(before.port, ca=authority.pem))
    before.change = lambda body: b"<html>captive</html>"
    with pytest.raises(VSphereError) as caught:
        now(vcenter)
    assert caught.value.record.message == (f"the answer of 127.0.0.1:{before.port} to CurrentTime cannot be understood")


def test_a_value_that_pyvmomi_does_not_know_is_kept(before: Front, authority: Authority, opened: Opened) -> None:
    from aiinfra.domains.vsphere.client.properties import one
    from aiinfra.domains.vsphere.reading.inventory import find

    vcenter = opened(at(before.port, ca=authority.pem))
    vm = find(vcenter, "/dc1/vm/templates/rhcos")
    before.change = lambda body: body.replace(b">poweredOff<", b">hibernating<")
    row = one(vcenter, vm, ["runtime.powerState"])
    assert row and row.get("runtime.powerState") == "hibernating"


def test_whole_objects_are_not_read(vcenter: VCenter) -> None:
    with pytest.raises(TypeError, match=r"read by properties\.collect"):
        _ = vcenter.content.rootFolder.childEntity


def test_a_session_that_expired_is_begun_anew_once_for_all_threads(lab: Running, opened: Opened) -> None:
    vcenter = opened(lab.access())
    expire(lab, vcenter)
    with ThreadPoolExecutor(16) as pool:
        times = list(pool.map(lambda _: now(vcenter), range(64)))
    assert all(times)
    assert vcenter.calls["Login"] == 2
    assert vcenter.session == 2


def test_a_password_that_changed_meanwhile_is_tried_once(
    before: Front, lab: Running, authority: Authority, opened: Opened
) -> None:
    vcenter = opened(at(before.port, ca=authority.pem))
    object.__setattr__(vcenter.access, "password", "older-canary")
    expire(lab, vcenter)

    def refusal(_: int) -> str:
        with pytest.raises(VSphereError) as caught:
            now(vcenter)
        return caught.value.record.message

    with ThreadPoolExecutor(8) as pool:
        messages = set(pool.map(refusal, range(16)))
    assert messages == {f"127.0.0.1:{before.port} does not accept the user or its password"}
    assert vcenter.calls["Login"] == 2


def test_many_requests_are_in_flight(lab: Running, opened: Opened) -> None:
    vcenter = opened(lab.access())
    lab.fault("slow", "CurrentTime:100")
    lab.forget_calls()
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: now(vcenter), range(48)))
    lab.fault()
    assert lab.calls()["atOnce"] >= 8


def test_logging_out_leaves_no_session(lab: Running, opened: Opened) -> None:
    vcenter = opened(lab.access())
    lab.forget_calls()
    vcenter.close()
    assert lab.calls()["methods"] == {"Logout": 1}


def test_an_expired_session_is_not_begun_anew_to_be_ended(lab: Running, opened: Opened) -> None:
    vcenter = opened(lab.access())
    expire(lab, vcenter)
    vcenter.close()
    assert vcenter.calls["Login"] == 1


@pytest.mark.parametrize("password", ["a<b>&\"c'd", "pä$$ wörd", "${env:X}"])
def test_any_password_arrives_as_it_is(program: Path, opened: Opened, password: str) -> None:
    with running(program, world(user="LAB\\installer", password=password)) as strict:
        assert opened(strict.access(user="LAB\\installer", password=password)).session == 1


def expire(lab: Running, vcenter: VCenter) -> None:
    now(vcenter)
    lab.fault("vcenter-session-expired")
    lab.fault()


def now(vcenter: VCenter) -> Any:
    from pyVmomi import vim

    return vim.ServiceInstance("ServiceInstance", vcenter.content.rootFolder._stub).CurrentTime()
