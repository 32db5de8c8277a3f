"""How `render` shows what acts in a vCenter. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from aiinfra.domains.vsphere.spec import PROCEDURE
from aiinfra.render.document import Document, ShownResource

TEMPLATE_NOTE = "A VM template. What of it depends on the hosts (the profile, the MMIO size) is chosen when it is made."


def gpu_template(resource: ShownResource) -> Iterable[Document]:
    """Yield the spec of a `GpuTemplate`, without the fields that only say how it is made."""
    name = f"{resource.stack}-{resource.name}"
    spec = resource.properties["spec"]
    content = {key: value for key, value in spec.items() if key not in PROCEDURE}
    yield Document("vm-template", name, content, (TEMPLATE_NOTE,))
