"""A domain whose world is files: what tests and benchmarks need of resources, without a world of its own."""

from aiinfra.domain import Domain

DOMAIN = Domain(
    name="test",
    summary="Files on this machine.",
    resources={"aiinfra:test:Thing": "aiinfra_test_kinds.provider:thing"},
    packages=("aiinfra_test_kinds",),
    error_codes="aiinfra_test_kinds.error_codes:CODES",
)
