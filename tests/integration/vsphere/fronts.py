"""What may stand between us and a vCenter, or in its place: certificates, cut lines, silence, other servers."""

from __future__ import annotations

import datetime
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


class Authority:
    """Signs certificates for servers at 127.0.0.1; `pem` is its own one."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the site's authority")])
        own = self._builder(self._name, self._key, NOW + DAY).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.pem = own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def server(self, host: str = "127.0.0.1", until: datetime.datetime = NOW + DAY) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        alternative = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        builder = self._builder(name, key, until).add_extension(
            x509.SubjectAlternativeName([alternative]), critical=False
        )
        file = self._folder / f"{host}-{until:%Y%m%d}.pem"
        signed = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        plain = serialization.NoEncryption()
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        file.write_bytes(signed + key.private_bytes(encoding, form, plain))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _builder(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, until: datetime.datetime
    ) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder(issuer_name=self._name, subject_name=name, public_key=key.public_key())
        return builder.serial_number(x509.random_serial_number()).not_valid_before(NOW - 9 * DAY).not_valid_after(until)


@dataclass(slots=True)
class Front:
    """A server with TLS of its own. Passes requests on to a vCenter, if there is one behind, and breaks what it is told."""

    port: int = 0
    behind: int = 0
    status: int = 200
    """Another one is answered in place of passing on."""
    page: bytes = b""
    """Answered with `status` in place of passing on, when there is no vCenter behind."""
    change: Callable[[bytes], bytes] = lambda body: body
    """Of the answers' bodies."""
    cut: str = ""
    """Answers to a request with this text in it break off in the middle."""
    silent: str = ""
    """Requests with this text in them are never answered."""
    passed: list[bytes] = field(default_factory=list)
    """Bodies of the requests that were passed on."""
    lines: list[socket.socket] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def cut_lines(self) -> None:
        """As a restart of the server does to connections that are kept."""
        for line in self.lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self.lines.clear()

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if self.status != 200 or not self.behind:
            return self.status, {"Content-Type": "text/html"}, self.page
        anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        vcenter = http.client.HTTPSConnection("127.0.0.1", self.behind, context=anybody)
        self.passed.append(body)
        vcenter.request(method, path, body, {k: v for k, v in headers.items() if k.lower() != "host"})
        answer = vcenter.getresponse()
        kept = {k: v for k, v in answer.getheaders() if k.lower() in ("content-type", "set-cookie")}
        told = answer.status, kept, self.change(answer.read())
        vcenter.close()
        return told


@contextmanager
def front(context: ssl.SSLContext, behind: int = 0) -> Iterator[Front]:
    """A `Front` on a port of its own, before the vCenter at the port `behind`."""
    made = Front(behind=behind)

    class Handler(_Handler):
        front = made

    server = _Server(("127.0.0.1", 0), Handler)
    server.context = context
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.ended.set()
    made.cut_lines()
    server.shutdown()
    server.server_close()
    thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    context: ssl.SSLContext

    def finish_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        assert isinstance(request, socket.socket)
        with suppress(OSError), self.context.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    front: Front

    def setup(self) -> None:
        super().setup()
        self.front.lines.append(self.connection)

    def do_GET(self) -> None:
        self._pass()

    def do_POST(self) -> None:
        self._pass()

    def log_message(self, format: str, *args: object) -> None:
        return

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        text = f"{self.path} {body.decode()}"
        if self.front.silent and self.front.silent in text:
            self.front.ended.wait()
            return
        status, headers, answer = self.front.ask(self.command, self.path, body, dict(self.headers.items()))
        broken = bool(self.front.cut) and self.front.cut in text
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer[: len(answer) // 2] if broken else answer)
        self.close_connection = self.close_connection or broken
