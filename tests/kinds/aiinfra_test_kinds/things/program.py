import pulumi

from aiinfra.stack import StackContext
from aiinfra_test_kinds.resources import Thing
from aiinfra_test_kinds.things.spec import ThingsInputs, ThingsMade


def program(context: StackContext, inputs: ThingsInputs) -> ThingsMade:
    last: pulumi.Input[str] = inputs.after
    for number in range(inputs.count):
        props = {"text": inputs.text, "after": last, "delay": inputs.delay, "mark": context.environment_id}
        if inputs.folder:
            props["file"] = f"{inputs.folder}/{context.stack}-{number}"
        if inputs.fail and number == inputs.count - 1:
            props["fail"] = inputs.fail
        last = Thing(f"thing-{number}", props).id
    return ThingsMade.of(text=inputs.text, last=last, password=inputs.password)
