"""pyVmomi's way to one vCenter: every SOAP request of its objects goes through `Stub.InvokeMethod`.

What pyVmomi 9.1 brings for this is not used, because its pooled adapter takes a cookie from any answer (a session made
anew by one thread is lost to the late answer of another), its re-login sleeps and tries again four times whatever the
refusal, and neither can be stopped.
"""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final
from xml.etree import ElementTree
from xml.parsers.expat import ExpatError

from pyVmomi import SoapAdapter, vim, vmodl
from pyVmomi.VmomiSupport import Enum, GetServiceVersions, versionIdMap

from aiinfra.domains.vsphere.client import pruning, refusals
from aiinfra.domains.vsphere.client.connections import Connections, Response
from aiinfra.domains.vsphere.client.errors import LoginRefused, NotAVCenter, Unreachable, Unreadable, VSphereError

VERSIONS: Final = "/sdk/vimServiceVersions.xml"
SAFE: Final = ("Retrieve", "Query", "Find", "Fetch", "fetch", "Has", "CurrentTime")
"""Prefixes of methods that only read: they are repeated when a kept connection was closed."""
UNPARSABLE: Final = (ExpatError, AttributeError, KeyError, TypeError, ValueError)
"""What pyVmomi's deserializer raises for an answer that it does not understand."""


def negotiated_version(connections: Connections, name: str) -> str:
    """Return the newest API version that both sides know, as pyVmomi calls it: `vim.version.v8_0_3_0`.

    Raises `NotAVCenter` when what answers under `name` does not list versions as a vCenter or ESXi does.
    """
    answer = connections.request("GET", VERSIONS, None, {}, repeatable=True)
    _ready(answer, name)
    offered = _offered(answer.body) if answer.status == 200 else set()
    if not offered:
        found = f"HTTP {answer.status}" if answer.status != 200 else "no list of API versions"
        message = f"what answers at {name} is no vCenter: {VERSIONS} gives {found}"
        raise NotAVCenter(message, where=name, hint="check host and port of the vCenter")
    for version in GetServiceVersions("vim25"):
        if versionIdMap[version] in offered:
            return str(version)
    message = (
        f"{name} speaks no version of the vSphere API that this client knows: it offers {', '.join(sorted(offered))}"
    )
    raise NotAVCenter(message, where=name, hint="use a vCenter 7.0 or newer, or a newer aiinfra")


def _offered(document: bytes) -> set[str]:
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError:
        return set()
    return {version.text or "" for version in root.iter("version")} if root.tag == "namespaces" else set()


def _ready(answer: Response, name: str) -> None:
    if answer.status in (502, 503, 504):
        message = f"{name} is not ready: it answers HTTP {answer.status} {answer.reason}"
        hint = "wait until the services of the vCenter have started"
        raise Unreachable(message, where=name, hint=hint, transient=True)


class Stub(SoapAdapter.SoapStubAdapterBase):  # type: ignore[misc]
    """Thread-safe. Raises `VSphereError` and its families, and `Stopped`, never a fault of pyVmomi.

    An expired session is renewed by `login`, once for all threads; a refusal is remembered, so that an account is not
    locked by asking again.
    """

    def __init__(self, connections: Connections, version: str, name: str, naming: Callable[[Any], str]) -> None:
        super().__init__(version)
        self.requestContext = None
        self.calls: Counter[str] = Counter()
        """How many SOAP requests were sent, by method."""
        self.session_key = ""
        self._connections, self._name, self._naming = connections, name, naming
        self._login: Callable[[], str] | None = None
        self._refused: LoginRefused | None = None
        self._cookie = ""
        self._session = 0
        self._renewing, self._counting = threading.Lock(), threading.Lock()

    @property
    def session(self) -> int:
        """Counts sessions: what belongs to one, such as the token of a page, is lost with it."""
        return self._session

    def log_in(self, login: Callable[[], str]) -> None:
        """Begin a session. `login` returns its key, and also begins each later one."""
        self._login = login
        self._renew(self._session)

    def InvokeMethod(self, mo: Any, info: Any, args: Any, outerStub: Any = None) -> Any:
        session = self._session
        try:
            return self._invoke(mo, info, args)
        except vim.fault.NotAuthenticated as fault:
            if self._login is None or info.wsdlName in ("Login", "Logout"):
                raise self._refusal(fault, mo, info) from fault
        except vmodl.MethodFault as fault:
            raise self._refusal(fault, mo, info) from fault
        self._renew(session)
        try:
            return self._invoke(mo, info, args)
        except vmodl.MethodFault as fault:
            raise self._refusal(fault, mo, info) from fault

    def InvokeAccessor(self, mo: Any, info: Any) -> Any:
        """Reading a property of a managed object by attribute fetches it whole, which breaks on one odd value in it."""
        raise TypeError(f"{info.name} is read by properties.collect, by its leaf path")

    def _renew(self, seen: int) -> None:
        with self._renewing:
            if self._session != seen or self._login is None:
                return
            if self._refused:
                raise self._refused
            self._cookie = ""
            try:
                self.session_key = self._login()
            except LoginRefused as refused:
                self._refused = refused
                raise
            self._session += 1

    def _invoke(self, mo: Any, info: Any, args: Any) -> Any:
        """Send one request. Raises the fault of the answer as pyVmomi gives it."""
        with self._counting:
            self.calls[info.wsdlName] += 1
        request = self.SerializeRequest(mo, info, args)
        repeatable = info.wsdlName.startswith(SAFE)
        answer = self._connections.request("POST", "/sdk", request, self._headers(), repeatable=repeatable)
        if info.wsdlName in ("Login", "LoginByToken"):
            self._cookie = answer.cookies
        return self._understood(answer, info)

    def _headers(self) -> Mapping[str, str]:
        headers = {"SOAPAction": self.versionId, "Content-Type": "text/xml; charset=UTF-8", "User-Agent": "aiinfra"}
        return headers | {"Accept-Encoding": "gzip"} | ({"Cookie": self._cookie} if self._cookie else {})

    def _understood(self, answer: Response, info: Any) -> Any:
        _ready(answer, self._name)
        if answer.status not in (200, 500):
            message = f"{self._name} answers {info.wsdlName} with HTTP {answer.status} {answer.reason}"
            raise Unreadable(message, where=self._name, hint="check that no proxy stands between")
        response = _Response(self)
        try:
            found = response.Deserialize(io.BytesIO(pruning.current.get()(answer.body)), info.result)
        except UNPARSABLE as error:
            raise self._unreadable(info.wsdlName) from error
        if isinstance(found, vmodl.MethodFault):
            raise found
        if fault := _unauthenticated(found):
            raise fault
        if answer.status == 500 or not response.begun:
            raise self._unreadable(info.wsdlName)
        return found

    def _unreadable(self, method: str) -> Unreadable:
        message = f"the answer of {self._name} to {method} cannot be understood"
        return Unreadable(message, where=self._name, hint="report it with the version of the vCenter")

    def _refusal(self, fault: Any, mo: Any, info: Any) -> VSphereError:
        powering = info.wsdlName in refusals.POWERING
        return refusals.refusal(fault, about=mo, naming=self._naming, vcenter=self._name, powering=powering)


def _unauthenticated(found: Any) -> Any:
    """Return the fault NotAuthenticated of an answer.

    A PropertyCollector does not refuse to answer without a session: it answers that it cannot read.
    """
    if not isinstance(found, vmodl.query.PropertyCollector.RetrieveResult):
        return None
    faults = (missing.fault for content in found.objects for missing in content.missingSet or ())
    return next((fault for fault in faults if isinstance(fault, vim.fault.NotAuthenticated)), None)


class _Response(SoapAdapter.SoapResponseDeserializer):  # type: ignore[misc]
    def __init__(self, stub: Stub) -> None:
        super().__init__(stub)
        self.deser = _Values(stub)
        self.begun = False
        """Whether the answer was a SOAP response at all: a method without a result sends nothing else."""

    def StartElementHandler(self, tag: str, attributes: Any) -> None:
        self.begun = self.begun or tag.endswith("Response") or tag == self.soapFaultTag
        super().StartElementHandler(tag, attributes)


class _Values(SoapAdapter.SoapDeserializer):  # type: ignore[misc]
    """Keeps an enumeration's value that pyVmomi does not know, or an empty one, as it came instead of failing."""

    def EndElementHandler(self, tag: str) -> None:
        top = self.stack[-1] if self.stack else None
        if isinstance(top, type) and issubclass(top, Enum) and not hasattr(top, self.data):
            self.stack[-1] = top(self.data)
        super().EndElementHandler(tag)
