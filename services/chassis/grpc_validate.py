"""The contract's own rules (buf.validate), checked on every request before anything else looks at it."""

from typing import Final

from google.protobuf.message import Message
from protovalidate import Validator, Violation

from chassis.errors import Finding, InvalidArgument

INVALID_REQUEST: Final = "INVALID_REQUEST"
# Shared by all threads: it compiles the rules of a message type once.
_VALIDATOR: Final = Validator()


def validate(request: Message) -> None:
    """InvalidArgument with a finding for each violation: path of the field, rule in words, its id. Never the value."""
    violations = _VALIDATOR.collect_violations(request)
    if not violations:
        return
    findings = tuple(_finding(violation) for violation in violations)
    first = findings[0]
    raise InvalidArgument(first.field, first.rule, reason=INVALID_REQUEST, findings=findings)


def _finding(violation: Violation) -> Finding:
    proto = violation.proto
    # A rule in CEL may build its message from the value, so of those only the id is told.
    written_here = proto.rule is not None and any(step.field_name.startswith("cel") for step in proto.rule.elements)
    words = "" if written_here else proto.message
    return Finding(_path(violation), f"{words} ({proto.rule_id})" if words else proto.rule_id)


def _path(violation: Violation) -> str:
    """`lines[2].amount_usd`; the key of a map is left out, because it is a value."""
    steps: list[str] = []
    field = violation.proto.field
    for step in field.elements if field is not None else ():
        steps.append(step.field_name)
        if step.subscript is not None:
            steps[-1] += f"[{step.subscript.value if step.subscript.field == 'index' else ''}]"
    return ".".join(steps)
