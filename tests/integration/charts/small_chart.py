"""A small chart with everything that a chart can say, and the places that it can come from."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import ssl
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NAME, VERSION = "node-feature-discovery", "0.19.0"
FILES: Mapping[str, str] = {
    "Chart.yaml": f"apiVersion: v2\nname: {NAME}\nversion: {VERSION}\nappVersion: v{VERSION}\n",
    "values.yaml": """\
image: {repository: registry.k8s.io/nfd/node-feature-discovery, tag: v1}
replicas: 1
debug: false
extra: {}
worker: {tolerations: [], config: {}}
imagePullSecrets: []
""",
    "values.schema.json": json.dumps({"type": "object", "properties": {"replicas": {"type": "integer"}}}),
    "templates/rules.yaml": """\
{{- if and .Values.debug (gt (int .Values.replicas) 1) }}
{{- fail "debug wants one replica" }}
{{- end }}
""",
    "templates/deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}-master, namespace: {{ .Release.Namespace }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: small}}
  template:
    metadata: {labels: {app: small}}
    spec:
      {{- with .Values.hostNetwork }}
      hostNetwork: {{ . }}
      {{- end }}
      containers:
        - name: main
          image: {{ .Values.image.repository }}:{{ .Values.image.tag }}
          {{- with .Values.extra }}
          {{- toYaml . | nindent 10 }}
          {{- end }}
""",
    "templates/thing.yaml": """\
apiVersion: small.example/v1
kind: Thing
metadata: {name: one}
spec: {mode: {{ .Values.mode | default "auto" }}}
""",
    "templates/hook.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: after, annotations: {helm.sh/hook: post-delete}}
""",
    "crds/thing.yaml": """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.small.example}
spec:
  group: small.example
  scope: Cluster
  names: {kind: Thing, plural: things}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties: {mode: {type: string, enum: [auto, manual]}}
""",
}


def archive(changed: Mapping[str, str] | None = None) -> bytes:
    """The chart as `helm package` makes it."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as packed:
        for name, text in {**FILES, **(changed or {})}.items():
            member = tarfile.TarInfo(f"{NAME}/{name}")
            member.size = len(text.encode())
            packed.addfile(member, io.BytesIO(text.encode()))
    return raw.getvalue()


def in_folder(folder: Path, changed: Mapping[str, str] | None = None) -> Path:
    """The archive in a folder, under the name that `helm pull` gives it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{NAME}-{VERSION}.tgz"
    path.write_bytes(archive(changed))
    return path


@contextmanager
def served(context: ssl.SSLContext | None = None, account: str = "") -> Iterator[str]:
    """A chart repository and an OCI registry on loopback: `127.0.0.1:PORT`. `account`: `user:password` that it wants."""
    chart = archive()
    index = {"apiVersion": "v1", "entries": {NAME: [{"version": VERSION, "urls": [f"files/{NAME}.tgz"]}]}}
    config = json.dumps({"name": NAME, "version": VERSION, "apiVersion": "v2"}).encode()
    manifest = json.dumps({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _blob("application/vnd.cncf.helm.config.v1+json", config),
        "layers": [_blob("application/vnd.cncf.helm.chart.content.v1.tar+gzip", chart)],
    }).encode()  # fmt: skip
    manifests = f"/v2/charts/{NAME}/manifests/"
    answers = {
        "/index.yaml": ("text/yaml", json.dumps(index).encode()),
        f"/files/{NAME}.tgz": ("application/gzip", chart),
        "/v2/": ("application/json", b"{}"),
        f"{manifests}{VERSION}": ("application/vnd.oci.image.manifest.v1+json", manifest),
        f"{manifests}{_digest(manifest)}": ("application/vnd.oci.image.manifest.v1+json", manifest),
        f"/v2/charts/{NAME}/blobs/{_digest(chart)}": ("application/octet-stream", chart),
        f"/v2/charts/{NAME}/blobs/{_digest(config)}": ("application/octet-stream", config),
    }
    wanted = f"Basic {base64.b64encode(account.encode()).decode()}" if account else ""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if wanted and self.headers.get("Authorization") != wanted:
                self._send(401, "text/plain", b"who?", {"WWW-Authenticate": 'Basic realm="charts"'})
            elif self.path in answers:
                kind, body = answers[self.path]
                self._send(200, kind, body, {"Docker-Content-Digest": _digest(body)})
            else:
                self._send(404, "text/plain", b"no", {})

        do_HEAD = do_GET

        def _send(self, code: int, kind: str, body: bytes, more: Mapping[str, str]) -> None:
            self.send_response(code)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _blob(kind: str, content: bytes) -> dict[str, object]:
    return {"mediaType": kind, "digest": _digest(content), "size": len(content)}
