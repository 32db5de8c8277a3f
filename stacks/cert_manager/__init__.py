"""cert-manager."""

from aiinfra.stack import StackType
from stacks.cert_manager.checks import Checks
from stacks.cert_manager.spec import CertManagerInputs, CertManagerInstall

STACK = StackType(
    kind="cert_manager",
    summary="cert-manager: issues and renews TLS certificates in a cluster.",
    inputs=CertManagerInputs,
    outputs=CertManagerInstall,
    program="stacks.cert_manager.program:program",
    checks=Checks(),
    domains=("kubernetes",),
    plugins=("kubernetes",),
    external="what its chart brings",
    known_outputs=("namespace", "version"),
)
