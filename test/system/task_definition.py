"""Prints, as a JSON list, what botocore finds wrong with the task definition on stdin, without asking AWS."""

import json
import sys

from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator


def foreign_words(value, shape, path):
    """Values that are in no enumeration of the model. botocore lets the service check them."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():
            if name in value:
                yield from foreign_words(value[name], member, f"{path}.{name}")
    elif shape.type_name == "list" and isinstance(value, list):
        for position, element in enumerate(value):
            yield from foreign_words(element, shape.member, f"{path}[{position}]")
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{path[1:]} is {value!r}: expected {', '.join(shape.enum)}"


service = ServiceModel(create_loader().load_service_model("ecs", "service-2"))
shape = service.operation_model("RegisterTaskDefinition").input_shape
definition = json.load(sys.stdin)
report = ParamValidator().validate(definition, shape).generate_report()
print(json.dumps([*report.splitlines(), *foreign_words(definition, shape, "")]))
