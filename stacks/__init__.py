"""The kinds that aiinfra can build. One folder a kind, one line here; it is imported when a file names the kind."""

from __future__ import annotations

from typing import Final

KINDS: Final = (
    "existing_cluster",
    "nfd",
    "gpu_operator",
    "gpu_proof",
    "cert_manager",
    "vsphere_gpu_template",
)
