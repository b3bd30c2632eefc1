"""The policy tables of people, practitioners and decisions, as ListPolicy and docs/clinical-policy.md show them."""

from chassis.policy import Policy
from intake.policy_tables import contraindication, diagnosis_group, flag_policy, gate_rule, policy_number
from intake.practitioner_tables import licence_privilege

POLICIES = (
    Policy(policy_number, keys=("policy_code",), values=("value",), title="Numbers of intake", unit_column="unit"),
    Policy(
        licence_privilege,
        keys=("licence_type", "privilege"),
        values=("allowed",),
        title="Which licence may hold which privilege",
        units={"allowed": "yes/no"},
    ),
    Policy(
        flag_policy,
        keys=("reason_code",),
        values=("blocks", "due_minutes"),
        title="Safety flags",
        units={"blocks": "yes/no", "due_minutes": "min"},
    ),
    Policy(
        diagnosis_group,
        keys=("indication", "code_group"),
        values=(),
        title="Diagnoses that support an indication",
    ),
    Policy(
        contraindication,
        keys=("code",),
        values=("level",),
        title="Contraindications and interactions",
        units={"level": "code"},
    ),
    Policy(
        gate_rule,
        keys=("gate", "code"),
        values=("position", "level"),
        title="Rules of clearance and start",
        units={"position": "{position}", "level": "code"},
    ),
)
