"""The log of a container that failed, as a real API server gives it from a kubelet, and what a diagnosis makes of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aiinfra.domains.kubernetes.client.errors import KubeError
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.diagnosis.diagnose import diagnose_object
from aiinfra.domains.kubernetes.diagnosis.gather import gather
from tests.integration.kube.engine import Site
from tests.integration.vsphere.fronts import Authority

pytestmark = pytest.mark.lab
LOG = """\
========== NVIDIA Software Installer ==========
Resolving Linux kernel version...
Could not resolve Linux kernel version
Unmounting NVIDIA driver rootfs...
"""


class Kubelet(BaseHTTPRequestHandler):
    """Gives one log, and remembers how it was asked."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        there = self.path.startswith("/containerLogs/default/driver/driver-ctr?")
        self.send_response(200 if there else 404)
        self.send_header("Content-Length", str(len(LOG) if there else 0))
        self.end_headers()
        self.wfile.write(LOG.encode() if there else b"")

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def kubelet(tmp_path: Path) -> Iterator[int]:
    Kubelet.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Kubelet)
    context = Authority(tmp_path).server()
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def crashed(east: Site, kubelet: int) -> Iterator[ObjectRef]:
    """A pod whose container ended with exit code 1 and left no message, on a node whose kubelet has its log."""
    client, node = east.client, ObjectRef("v1", "Node", "logger")
    client.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node.name}})
    address = {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}]}
    endpoint = {"daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet}}}
    client.patch(node, {"status": {**address, **endpoint}}, subresource="status")
    spec = {"nodeName": node.name, "containers": [{"name": "driver-ctr", "image": "registry.example/driver:1"}]}
    pod = ObjectRef.of(client.create({"apiVersion": "v1", "kind": "Pod", "metadata": METADATA, "spec": spec}))
    client.patch(pod, {"status": STATUS}, subresource="status")
    yield pod
    client.raw("DELETE", "/api/v1/namespaces/default/pods/driver", query={"gracePeriodSeconds": "0"})
    client.delete(node)


METADATA = {"name": "driver", "namespace": "default"}
ENDED: Object = {"terminated": {"exitCode": 1, "reason": "Error"}}
STATUS: Object = {
    "phase": "Running",
    "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}],
    "containerStatuses": [
        {
            "name": "driver-ctr",
            "image": "registry.example/driver:1",
            "imageID": "",
            "ready": False,
            "restartCount": 3,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": ENDED,
        }
    ],
}


def test_a_crash_without_a_message_is_told_by_the_end_of_the_log_of_the_container_before(
    east: Site, crashed: ObjectRef
) -> None:
    found = diagnose_object(gather(east.client), crashed)
    assert found.causes == ["driver on logger: CrashLoopBackOff", "Could not resolve Linux kernel version"]
    assert found.hint.startswith("set driver.version to one that supports kernel")
    (asked,) = Kubelet.asked
    assert "previous=true" in asked
    assert "tailLines=20" in asked
    assert "limitBytes=16384" in asked


def test_a_log_that_no_kubelet_gives_leaves_the_diagnosis_as_it_is(east: Site, crashed: ObjectRef) -> None:
    client = east.client
    client.patch(
        ObjectRef("v1", "Node", "logger"),
        {"status": {"daemonEndpoints": {"kubeletEndpoint": {"Port": 1}}}},
        subresource="status",
    )
    with pytest.raises(KubeError):
        client.log(crashed, "driver-ctr", previous=True, lines=1, most_bytes=10, timeout=5)
    assert diagnose_object(gather(client), crashed).causes[-1] == (
        "container driver-ctr ended with exit code 1 and said nothing"
    )
