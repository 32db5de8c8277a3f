from typing import Annotated

from aiinfra.stack import SECRET, Input, Inputs, Outputs


class ThingsInputs(Inputs):
    text: Input[str] = "a"
    count: int = 3
    after: Input[str] = ""
    password: Input[str] = ""
    folder: str = ""
    """Where each thing leaves a file: the world of these tests."""
    delay: float = 0.0
    """Seconds that each create and delete takes after it has changed the world."""
    fail: str = ""
    """What the last thing refuses with."""


class ThingsMade(Outputs):
    text: Input[str]
    last: Input[str]
    password: Annotated[Input[str], SECRET]
