"""Errors of a vCenter and of the connection to it: one class for each kind of refusal.

Each message names the vCenter or the object by its inventory path.
"""

from __future__ import annotations

from aiinfra.errors import OutsideError


class VSphereError(OutsideError):
    """A request to a vCenter failed."""

    default_code = "vsphere.failed"

    fault = ""
    """Name of the vSphere fault behind it, such as `InvalidPowerState`; empty when there was none."""


class Unreachable(VSphereError):
    """The vCenter did not answer, or only in part."""

    default_code = "vsphere.unreachable"


class Untrusted(Unreachable):
    """The server's certificate is not accepted."""

    default_code = "vsphere.tls"


class NotAVCenter(VSphereError):
    """Something else answers at that address."""

    default_code = "vsphere.not_vcenter"


class TooOld(VSphereError):
    """The vCenter's API is older than what is to be sent."""

    default_code = "vsphere.version"


class LoginRefused(VSphereError):
    """The account or its password is not accepted."""

    default_code = "vsphere.login"


class Forbidden(VSphereError):
    """The account lacks a privilege."""

    default_code = "vsphere.privileges"


class NotFound(VSphereError):
    """The object does not exist, or not any more."""

    default_code = "vsphere.not_found"


class Exists(VSphereError):
    """The name is taken."""

    default_code = "vsphere.exists"


class Busy(VSphereError):
    """Another task works on the object."""

    default_code = "vsphere.busy"


class Unreadable(VSphereError):
    """This client does not understand the answer."""

    default_code = "vsphere.unreadable"


class NotStarted(VSphereError):
    """A VM with GPUs was not powered on; the code says why."""

    default_code = "vsphere.power_on"


class TaskSlow(VSphereError):
    """A task did not end within its limit."""

    default_code = "vsphere.task_slow"
