"""A cluster that somebody else made and keeps."""

from aiinfra.domains.kubernetes.access import ClusterAccess
from aiinfra.stack import StackType
from stacks.existing_cluster.checks import Checks
from stacks.existing_cluster.spec import ExistingClusterInputs

STACK = StackType(
    kind="existing_cluster",
    summary="A Kubernetes cluster that exists already; in a lab, one that the lab provides.",
    inputs=ExistingClusterInputs,
    outputs=ClusterAccess,
    program="stacks.existing_cluster.program:program",
    domains=("kubernetes",),
    checks=Checks(),
    connection=("kubeconfig", "context"),
    known_outputs=("platform",),
)
