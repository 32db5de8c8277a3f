from aiinfra.domains.kubernetes.access import ClusterAccess
from aiinfra.stack import Input, Inputs, Linked, Outputs


class NotesInputs(Inputs):
    cluster: Linked[ClusterAccess]
    names: tuple[str, ...]
    text: Input[str] = "a"
    finalizers: tuple[str, ...] = ()
    """Finalizers of the notes, whose controllers never act."""
    limit: float = 120.0
    fail: str = ""
    """What the program fails with."""


class NotesMade(Outputs):
    text: Input[str]
