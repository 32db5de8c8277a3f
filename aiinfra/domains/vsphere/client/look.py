"""A look at single VMs without pyVmomi, whose import alone takes longer than all that an unchanged `up` may take.

Four SOAP requests, whatever the number of VMs: the service's content, a login, one read, a logout. For anything else
there is `session.VCenter`. Source: vSphere Web Services API, ServiceInstance, SessionManager and PropertyCollector.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final
from xml.etree import ElementTree

from aiinfra.domains.vsphere.client.access import Access
from aiinfra.domains.vsphere.client.connections import Connections
from aiinfra.domains.vsphere.client.errors import LoginRefused, Unreadable, VSphereError

SECONDS: Final = 10.0
"""For one answer."""
PROPERTIES: Final = ("config.changeVersion", "config.template", "name", "parent")
"""The first is another text after each change of a VM's configuration; the others are no part of that."""
_ENVELOPE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<Body>{}</Body></Envelope>"
)
_METHOD: Final = '<{0} xmlns="urn:vim25"><_this type="{1}">{2}</_this>{3}</{0}>'


def fingerprints(access: Access, morefs: Sequence[str], stop: threading.Event) -> Mapping[str, str]:
    """By the managed object id of a VM that exists, a text that changes with it. Raises `VSphereError`."""
    connections = Connections(access, stop, SECONDS)
    try:
        return _Look(connections, str(access)).read(access, morefs)
    finally:
        connections.close()


class _Look:
    def __init__(self, connections: Connections, name: str) -> None:
        self._connections, self._name = connections, name
        self._cookie = ""

    def read(self, access: Access, morefs: Sequence[str]) -> Mapping[str, str]:
        content = self._call("RetrieveServiceContent", "ServiceInstance", "ServiceInstance", "")
        sessions, properties = _text(content, "sessionManager"), _text(content, "propertyCollector")
        account = f"<userName>{escape(access.user)}</userName><password>{escape(access.password)}</password>"
        self._call("Login", "SessionManager", sessions, account)
        try:
            return self._read(properties, list(morefs))
        finally:
            with suppress(VSphereError):
                self._call("Logout", "SessionManager", sessions, "")

    def _read(self, properties: str, morefs: list[str]) -> Mapping[str, str]:
        """A VM that does not exist makes the whole read fail: it is left out, and the others are read."""
        while morefs:
            answer = self._call("RetrievePropertiesEx", "PropertyCollector", properties, _spec(morefs))
            if (absent := _absent(answer)) is None:
                return dict(_found(answer))
            if absent not in morefs:
                raise self._unreadable("RetrievePropertiesEx")
            morefs.remove(absent)
        return {}

    def _call(self, method: str, type: str, moref: str, arguments: str) -> ElementTree.Element:
        body = _ENVELOPE.format(_METHOD.format(method, type, moref, arguments)).encode()
        headers = {"SOAPAction": "urn:vim25", "Content-Type": "text/xml; charset=UTF-8", "User-Agent": "aiinfra"}
        headers |= {"Cookie": self._cookie} if self._cookie else {}
        answer = self._connections.request("POST", "/sdk", body, headers, repeatable=method.startswith("Retrieve"))
        if method == "Login":
            self._cookie = answer.cookies
        try:
            root = ElementTree.fromstring(answer.body)
        except ElementTree.ParseError as error:
            raise self._unreadable(method) from error
        fault = next(_named(root, "faultstring"), None)
        if method == "Login" and fault is not None:
            message = f"{self._name} does not accept the account or its password"
            raise LoginRefused(message, where=self._name, hint="correct the account")
        if fault is not None and _absent(root) is None:
            message = f"{self._name} refuses {method}: {fault.text}"
            raise VSphereError(message, where=self._name)
        return root

    def _unreadable(self, method: str) -> Unreadable:
        message = f"the answer of {self._name} to {method} cannot be understood"
        return Unreadable(message, where=self._name, hint="report it with the version of the vCenter")


def _spec(morefs: Sequence[str]) -> str:
    objects = "".join(f'<objectSet><obj type="VirtualMachine">{escape(moref)}</obj></objectSet>' for moref in morefs)
    paths = "".join(f"<pathSet>{path}</pathSet>" for path in PROPERTIES)
    return f"<specSet><propSet><type>VirtualMachine</type>{paths}</propSet>{objects}</specSet><options/>"


def _found(root: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for one in _named(root, "objects"):
        values = {_text(found, "name"): _text(found, "val") for found in _named(one, "propSet")}
        yield _text(one, "obj"), " ".join(values.get(path, "") for path in PROPERTIES)


def _absent(root: ElementTree.Element) -> str | None:
    """The object that a fault ManagedObjectNotFound names; None when the answer is none."""
    fault = next(_named(root, "ManagedObjectNotFoundFault"), None)
    return None if fault is None else _text(fault, "obj")


def escape(text: str) -> str:
    """As `xml.sax.saxutils.escape`, whose module imports an XML parser and an HTTP client."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _named(root: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    return (element for element in root.iter() if element.tag.rpartition("}")[2] == name)


def _text(root: ElementTree.Element, name: str) -> str:
    found = next(_named(root, name), None)
    return (found.text or "") if found is not None else ""
