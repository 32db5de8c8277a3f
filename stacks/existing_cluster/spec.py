"""A cluster that exists already: how to reach it."""

from __future__ import annotations

from aiinfra.stack import Input, Inputs


class ExistingClusterInputs(Inputs):
    kubeconfig: Input[str] = ""
    """Text of a kubeconfig, as a rule `${file:PATH}`. In a lab it is the lab cluster of this stack's name."""
    context: str = ""
    """Context of the kubeconfig to use; empty means its current one."""
