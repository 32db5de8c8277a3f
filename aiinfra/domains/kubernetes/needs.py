"""What kinds need of simulated clusters, and what their software leaves in real ones. Pure values."""

from __future__ import annotations

from aiinfra.dataclass import dataclass
from aiinfra.stack import StackName


@dataclass(frozen=True, slots=True)
class ClusterNeed:
    """Hardware that a stack asks of the cluster it runs on; a rehearsal provides it and says it is assumed."""

    cluster: StackName | None
    """The stack that provides the cluster, or None when it cannot be told."""
    gpu_model: str = ""
    gpu_nodes: int = 0
    gpus_per_node: int = 0


@dataclass(frozen=True, slots=True)
class OperatorNeed:
    """An operator that a stack installs in a cluster; with `operators: real` a lab has one version of it."""

    cluster: StackName | None
    """The stack that provides the cluster, or None when it cannot be told."""
    stack: StackName
    operator: str
    """The program: `gpu-operator`."""
    version: str


@dataclass(frozen=True, slots=True)
class NodeLeftovers:
    """What an operator writes on nodes and leaves there when it is uninstalled; a whole destroy removes it."""

    prefixes: tuple[str, ...]
    """Of the names of labels and annotations."""
    managers: tuple[str, ...]
    """Field managers of the operator's programs: what others set under the same prefixes stays."""
    definition: str
    """Name of a CustomResourceDefinition that the operator works by: while it stands, one may be at work."""
