"""How `render` shows what acts in a vCenter. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from aiinfra.render.document import Document, ShownResource

TEMPLATE_NOTE = "A VM template. What of it depends on the hosts (the profile, the MMIO size) is chosen when it is made."


def gpu_template(resource: ShownResource) -> Iterable[Document]:
    """What is wanted of a `GpuTemplate`."""
    name = f"{resource.stack}-{resource.name}"
    yield Document("vm-template", name, resource.properties["wanted"], (TEMPLATE_NOTE,))
