"""An S3-compatible store and a key service on this machine, spoken to over HTTP as the real ones are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import httpx
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

Answer = Callable[..., Any]
DENIAL = b'{"__type": "AccessDeniedException", "message": "you may not use this key"}'


@dataclass
class Cloud:
    """What it answers at, what was asked of it, and what lies in it."""

    endpoint: str
    """Host and port."""
    asked: list[str] = field(default_factory=list)
    """Method and path of each request, in order."""
    denied: set[str] = field(default_factory=set)
    """Actions of the key service that nobody may do."""

    @property
    def environ(self) -> Mapping[str, str]:
        """What a client needs to reach it."""
        return {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret-of-the-cloud-4f1b",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://{self.endpoint}",
        }

    def make_bucket(self, name: str) -> None:
        assert httpx.put(f"http://{self.endpoint}/{name}").status_code == 200

    def state_url(self, bucket: str, folder: str = "") -> str:
        return f"s3://{bucket}{folder}?endpoint={self.endpoint}&disableSSL=true&s3ForcePathStyle=true"

    def make_key(self) -> str:
        """A new key's URL."""
        made = self.keys("CreateKey")
        return f"awskms:///{made['KeyMetadata']['KeyId']}?region=us-east-1"

    def keys(self, action: str, **arguments: str) -> Any:
        """Ask the key service."""
        headers = {"X-Amz-Target": f"TrentService.{action}", "Content-Type": "application/x-amz-json-1.1"}
        answer = httpx.post(f"http://{self.endpoint}/", headers={**headers, **signed("kms")}, json=arguments)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.content else {}

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Everything in a bucket, by key."""
        listed = ElementTree.fromstring(self._read(f"{bucket}?list-type=2"))
        keys = [str(key.text) for key in listed.iter() if key.tag.endswith("}Key")]
        return {key: self._read(f"{bucket}/{key}") for key in keys}

    def put(self, bucket: str, key: str, text: str) -> None:
        answer = httpx.put(f"http://{self.endpoint}/{bucket}/{key}", headers=signed("s3"), content=text)
        assert answer.status_code == 200, answer.text

    def _read(self, path: str) -> bytes:
        answer = httpx.get(f"http://{self.endpoint}/{path}", headers=signed("s3"))
        assert answer.status_code == 200, answer.text
        return answer.content


def signed(service: str) -> dict[str, str]:
    """What passes for a signature where none is checked."""
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/{service}/aws4_request"}


@contextmanager
def running_cloud() -> Iterator[Cloud]:
    """An empty one. Requests are answered one at a time: moto's own conditional writes are not atomic."""
    one_at_a_time, inner = threading.Lock(), DomainDispatcherApplication(create_backend_app)

    def answered(environ: dict[str, Any], start_response: Answer) -> Iterable[bytes]:
        with one_at_a_time:
            cloud.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            if environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2] in cloud.denied:
                start_response("400 Bad Request", [("Content-Type", "application/x-amz-json-1.1")])
                return [DENIAL]
            return list(inner(environ, start_response))

    server = make_server("127.0.0.1", 0, answered, threaded=True)
    cloud = Cloud(f"127.0.0.1:{server.port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        assert httpx.post(f"http://{cloud.endpoint}/moto-api/reset").status_code == 200
        yield cloud
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
