"""The policy tables of people, practitioners and decisions, as ListPolicy and docs/clinical-policy.md show them."""

from chassis.policy import Policy
from intake.policy_tables import contraindication, diagnosis_group, flag_policy, gate_rule, policy_number
from intake.practitioner_tables import licence_privilege
from intake.rule_tables import evaluation_code, medication, pregnancy_question, reason_code

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
        values=("blocks", "due_minutes", "needs_cssrs"),
        title="Safety flags",
        units={"blocks": "yes/no", "due_minutes": "min", "needs_cssrs": "yes/no"},
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
        values=("level", "asked_of", "may_override", "monitoring_codes"),
        title="Contraindications and interactions",
        units={"level": "code", "asked_of": "code", "may_override": "code", "monitoring_codes": "code"},
    ),
    Policy(
        gate_rule,
        keys=("gate", "code"),
        values=("position", "level", "may_override"),
        title="Rules of clearance and start",
        units={"position": "{position}", "level": "code", "may_override": "code"},
    ),
    Policy(
        medication,
        keys=("code",),
        values=("interaction_codes", "equal_to_1_mg_lorazepam_mg"),
        title="Medications and the interactions that they stand for",
        units={"interaction_codes": "code", "equal_to_1_mg_lorazepam_mg": "mg"},
    ),
    Policy(
        pregnancy_question,
        keys=("administrative_sex",),
        values=("asked",),
        title="Who is asked about pregnancy",
        units={"asked": "yes/no"},
    ),
    Policy(
        reason_code,
        keys=("list_code", "reason_code"),
        values=("allowed",),
        title="Closed lists of reasons",
        units={"allowed": "yes/no"},
    ),
    Policy(
        evaluation_code,
        keys=("cpt_code",),
        values=("new_patient",),
        title="Evaluation and management visits",
        units={"new_patient": "yes/no"},
    ),
)
