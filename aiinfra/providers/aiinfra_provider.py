"""The provider `aiinfra`: its resource types and what answers for each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import cast

from aiinfra import __version__
from aiinfra.domains.kubernetes.provider.clusters import Clusters
from aiinfra.domains.vsphere.provider.vcenters import VCenters
from aiinfra.providers.contract import ProviderSpec, ResourceHandler

PATIENCE = 300.0
"""Seconds for which a broken root must be seen unchanged before a wait for it is given up."""

Make = Callable[[], ResourceHandler]


class Handlers(Mapping[str, ResourceHandler]):
    """By type token, thread-safe; each is made, and its module imported, when the first resource of its type comes."""

    def __init__(self, makers: Mapping[str, Make]) -> None:
        self._makers = makers
        self._made: dict[str, ResourceHandler] = {}
        self._lock = threading.Lock()

    def __getitem__(self, token: str) -> ResourceHandler:
        make = self._makers[token]
        with self._lock:
            if token not in self._made:
                self._made[token] = make()
            return self._made[token]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def spec(patience: float = PATIENCE) -> ProviderSpec:
    clusters, vcenters = Clusters(), VCenters()

    def close() -> None:
        clusters.close()
        vcenters.close()

    handlers = Handlers(
        {
            "aiinfra:kubernetes:Bundle": partial(_made, "domains.kubernetes.provider.bundle:Bundle", clusters),
            "aiinfra:kubernetes:Cluster": partial(_made, "domains.kubernetes.provider.cluster:Cluster", clusters),
            "aiinfra:kubernetes:CustomResourceDefinitions": partial(
                _made, "domains.kubernetes.provider.crds:CustomResourceDefinitions", clusters
            ),
            "aiinfra:kubernetes:Ready": partial(_made, "domains.kubernetes.provider.ready:Ready", clusters, patience),
            "aiinfra:proof:GpuProof": partial(_made, "domains.kubernetes.provider.proof:GpuProof", clusters, patience),
            "aiinfra:test:Thing": partial(_made, "providers.test_thing:TestThing"),
            "aiinfra:vsphere:GpuTemplate": partial(
                _made, "domains.vsphere.provider.gpu_template:GpuTemplate", vcenters
            ),
        }
    )
    return ProviderSpec("aiinfra", __version__, handlers, close=close)


def _made(target: str, *arguments: object) -> ResourceHandler:
    module, _, name = target.partition(":")
    return cast("ResourceHandler", getattr(import_module(f"aiinfra.{module}"), name)(*arguments))
