"""The door between clients and an API server."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from aiinfra.domains.kubernetes.lab.partition import Relays

BIG = b"x" * 3_000_000


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def target() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server.server_port
        server.shutdown()
        serving.join()


@pytest.fixture
def doors() -> Iterator[Relays]:
    made = Relays()
    yield made
    made.close()


def test_what_goes_through_an_open_door_arrives_whole(doors: Relays, target: int) -> None:
    port = doors.add("dc1", target)
    with httpx.Client(trust_env=False) as client:
        assert client.post(f"http://127.0.0.1:{port}/", content=BIG).content == BIG


def test_what_a_client_says_at_once_is_not_lost(doors: Relays, target: int) -> None:
    port = doors.add("dc1", target)
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi")
            assert client.recv(12) == b"HTTP/1.1 200"


def test_a_shut_door_resets_open_connections_and_refuses_new_ones(doors: Relays, target: int) -> None:
    port = doors.add("dc1", target)
    with socket.create_connection(("127.0.0.1", port)) as held:
        held.sendall(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi")
        assert held.recv(12) == b"HTTP/1.1 200"
        doors.shut_only(frozenset({"dc1"}))
        with pytest.raises(ConnectionResetError):
            while held.recv(4096):
                pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_door_opens_again_on_its_own_port(doors: Relays, target: int) -> None:
    port = doors.add("dc1", target)
    doors.shut_only(frozenset({"dc1"}))
    doors.shut_only(frozenset())
    assert httpx.post(f"http://127.0.0.1:{port}/", content=b"hi", trust_env=False).content == b"hi"


def test_doors_are_shut_one_by_one(doors: Relays, target: int) -> None:
    ports = [doors.add(name, target) for name in ("dc1", "dc2")]
    doors.shut_only(frozenset({"dc1"}))
    with pytest.raises(httpx.ConnectError):
        httpx.post(f"http://127.0.0.1:{ports[0]}/", content=b"hi", trust_env=False)
    assert httpx.post(f"http://127.0.0.1:{ports[1]}/", content=b"hi", trust_env=False).content == b"hi"


def test_a_door_to_nobody_ends_the_connection(doors: Relays) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = doors.add("dc1", free.getsockname()[1])
        with (
            socket.create_connection(("127.0.0.1", port)) as client,
            pytest.raises(ConnectionResetError),
        ):
            client.recv(1)
