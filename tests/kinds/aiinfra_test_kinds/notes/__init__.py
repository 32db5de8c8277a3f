"""Notes left in a cluster: ConfigMaps, by our own provider alone."""

from pathlib import Path

from aiinfra.stack import StackType
from aiinfra_test_kinds.notes.spec import NotesInputs, NotesMade

STACK = StackType(
    kind="notes",
    summary="ConfigMaps in a cluster",
    inputs=NotesInputs,
    outputs=NotesMade,
    program="aiinfra_test_kinds.notes.program:program",
    domains=("kubernetes",),
    sources=(Path(__file__).parent,),
)
