from aiinfra.domains.kubernetes.resources.objects import Bundle
from aiinfra.stack import StackContext
from aiinfra_test_kinds.notes.spec import NotesInputs, NotesMade


def program(context: StackContext, inputs: NotesInputs) -> NotesMade:
    if inputs.fail:
        raise ValueError(inputs.fail)
    Bundle(
        context,
        "notes",
        cluster=inputs.cluster,
        objects=[
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": name, "namespace": "default", "finalizers": list(inputs.finalizers)},
                "data": {"text": inputs.text},
            }
            for name in inputs.names
        ],
        limit_seconds=inputs.limit,
    )
    return NotesMade.of(text=inputs.text)
