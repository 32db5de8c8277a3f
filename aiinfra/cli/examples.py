"""What `--help` of each command shows at its end: lines that can be typed as they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

EXAMPLES: Mapping[str, Sequence[str]] = {
    "up": ("up lab", "up dc1 --yes --summary up.md", "up dc1 --until gpu-operator --set stacks.nfd.version=0.19.0"),
    "destroy": ("destroy lab --yes", "destroy dc1 --only gpu-proof"),
    "refresh": ("refresh dc1", "refresh dc1 --only cluster --output json"),
    "rehearse": ("rehearse dc1", "rehearse dc1 --fault image-pull@gpu-operator --summary rehearsal.xml"),
    "preview": ("preview dc1", "preview dc1 --set stacks.gpu-operator.driver.version=580.82.07"),
    "doctor": ("doctor dc1", "doctor dc1 --output json"),
    "status": ("status dc1", "status dc1 --output json"),
    "why": ("why lab gpu-operator", "why dc1 gpu-proof --output json"),
    "outputs": ("outputs dc1", "outputs dc1 cluster --output json"),
    "init": ("init", "init dc1"),
    "validate": ("validate dc1", "validate environments/dc1.yaml --output json"),
    "plan": ("plan dc1", "plan dc1 --output json"),
    "graph": ("graph dc1", "graph dc1 --format dot"),
    "explain": ("explain dc1", "explain dc1 stacks.gpu-operator.driver"),
    "render": ("render dc1 --out rendered", "render dc1 gpu-operator --out rendered"),
    "kinds": ("kinds", "kinds --output json"),
    "schema": ("schema", "schema errors"),
    "lab": ("lab status lab", "lab fault lab image-pull", "lab stop lab"),
    "lab status": ("lab status lab", "lab status lab --output json"),
    "lab stop": ("lab stop lab",),
    "lab fault": ("lab fault lab api-partition --at cluster", "lab fault lab api-partition --lift"),
    "lab faults": ("lab faults",),
    "charts": ("charts mirror onprem ./charts",),
    "charts mirror": ("charts mirror onprem ./charts",),
    "toolchain": ("toolchain list", "toolchain install", "toolchain mirror /srv/aiinfra-tools"),
    "toolchain list": ("toolchain list", "toolchain list --output json"),
    "toolchain install": (
        "toolchain install",
        "toolchain install aiinfra-engine --offline",
        "toolchain install dc1 --from /srv/pulumi-plugins",
    ),
    "toolchain verify": ("toolchain verify",),
    "toolchain mirror": ("toolchain mirror /srv/aiinfra-tools", "toolchain mirror /srv/aiinfra-tools dc1"),
}


def add_examples(command: Any, path: str) -> None:
    """Add examples to the help of a command and of those below it."""
    if lines := EXAMPLES.get(path):
        command.epilog = "\b\nExamples:\n" + "\n".join(f"  aiinfra {line}" for line in lines)
    for name, below in getattr(command, "commands", {}).items():
        add_examples(below, f"{path} {name}")
