"""The code that every stack's result depends on, as one hash: a new version of it runs the stacks again."""

from __future__ import annotations

from aiinfra.catalog import domains
from aiinfra.engine.code_digest import kernel_digest, package_digest


def shared_sources(*, simulated: bool) -> str:
    """Of the kernel and of every installed domain; `code_digest` of a kind has only what that kind uses."""
    packages = [package for domain in domains().values() for package in domain.packages]
    return ":".join([kernel_digest(), *(package_digest(package, simulated) for package in packages)])
