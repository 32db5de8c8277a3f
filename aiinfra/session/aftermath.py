"""After a destroy: ask the world what carries our mark, remove it, and say what is left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiinfra.errors import AiinfraError, ErrorRecord, LeftBehind


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What the world said after a destroy."""

    looked: Sequence[str]
    """Where we looked and what we found, one sentence each."""
    left: Sequence[ErrorRecord]


def sweep_clusters(
    kubeconfigs: Mapping[str, str], environment_id: str, say: Callable[[str], None], stop: threading.Event
) -> Aftermath:
    """Remove what carries the environment's id from each cluster, by the name of the stack that gave access to it."""
    looked: list[str] = []
    left: list[ErrorRecord] = []
    for stack, kubeconfig in kubeconfigs.items():
        try:
            _sweep(stack, kubeconfig, environment_id, say, stop, looked, left)
        except AiinfraError as error:
            left.append(
                ErrorRecord(
                    LeftBehind.default_code,
                    stack,
                    f"the cluster of {stack} could not be asked what is left: {error}",
                    error.record.hint or "make the cluster reachable and run destroy again",
                    transient=True,
                )
            )
    return Aftermath(tuple(looked), tuple(left))


def _sweep(  # noqa: PLR0917  each is a part of the sweep
    stack: str,
    kubeconfig: str,
    environment_id: str,
    say: Callable[[str], None],
    stop: threading.Event,
    looked: list[str],
    left: list[ErrorRecord],
) -> None:
    from aiinfra.kube.client import KubeClient
    from aiinfra.kube.sweep import sweep

    with KubeClient.from_kubeconfig(kubeconfig) as client:
        swept = sweep(client, environment_id, say=say, stop=stop)
    found = f"cluster {stack} ({len(swept.left)} objects marked {environment_id}"
    looked.append(f"{found}; {len(swept.removed)} swept)" if swept.removed else f"{found})")
    for item in swept.left:
        left.append(ErrorRecord(LeftBehind.default_code, stack, str(item), "look at its finalizers"))


def unknown_ids(kubeconfigs: Mapping[str, str], environment: str) -> Aftermath:
    """What carries the environment's name when its id is lost: listed, not removed, as it may be a namesake's."""
    from aiinfra.kube.client import KubeClient
    from aiinfra.kube.sweep import namesakes

    left: list[ErrorRecord] = []
    for stack, kubeconfig in kubeconfigs.items():
        with KubeClient.from_kubeconfig(kubeconfig) as client:
            for id, refs in namesakes(client, environment).items():
                more = f" and {len(refs) - 3} more" if len(refs) > 3 else ""
                told = f"{', '.join(map(str, refs[:3]))}{more} carry the name {environment} and the id {id}"
                hint = f"if they are this environment's: aiinfra destroy {environment} --environment-id {id}"
                left.append(ErrorRecord(LeftBehind.default_code, stack, told, hint))
    looked = tuple(f"cluster {stack} (its objects named {environment})" for stack in kubeconfigs)
    return Aftermath(looked, tuple(left))
