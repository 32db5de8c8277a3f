"""What must hold of the inputs of `existing_cluster`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aiinfra.stack import StackName, Surroundings, Violation
from stacks.existing_cluster.spec import ExistingClusterInputs


class Checks:
    def rules_around(self, name: StackName, inputs: ExistingClusterInputs, around: Surroundings) -> Iterator[Violation]:
        if around.target == "real" and inputs.kubeconfig == "":
            yield Violation(("kubeconfig",), "a real cluster needs a kubeconfig", "write ${file:~/.kube/config}")

    def access(self, inputs: ExistingClusterInputs, text: str) -> str:
        from aiinfra.domains.kubernetes.client.kubeconfig import narrowed

        return narrowed(text, inputs.context)

    def self_contained(self, inputs: ExistingClusterInputs, text: str, folder: Path) -> str:
        from aiinfra.domains.kubernetes.client.flattening import flattened

        return flattened(text, folder, inputs.context)
