"""Every policy table of billing, as it is listed, published and signed."""

from billing.policy_tables import assessment_policy, coding_policy, estimate_exclusion, evaluation_policy, policy_number
from chassis.policy import Policy

_MIN = "min"
_CODE = "code"
_YES_NO = "yes/no"

POLICIES = (
    Policy(
        coding_policy,
        keys=("payer_code",),
        values=(
            "push_code",
            "push_from_min",
            "initial_code",
            "initial_from_min",
            "initial_covers_min",
            "additional_code",
            "additional_unit_min",
            "additional_beyond_min",
            "drug_code",
            "drug_units",
            "bills_paused_time",
        ),
        title="Codes of infusion time and drug",
        units={
            "push_code": _CODE,
            "push_from_min": _MIN,
            "initial_code": _CODE,
            "initial_from_min": _MIN,
            "initial_covers_min": _MIN,
            "additional_code": _CODE,
            "additional_unit_min": _MIN,
            "additional_beyond_min": _MIN,
            "drug_code": _CODE,
            "drug_units": "{unit}",
            "bills_paused_time": _YES_NO,
        },
    ),
    Policy(
        evaluation_policy,
        keys=("cpt_code",),
        values=("needs_price",),
        title="Evaluation and management codes that are charged",
        units={"needs_price": _YES_NO},
    ),
    Policy(
        assessment_policy,
        keys=("instrument",),
        values=("code", "billable"),
        title="Instruments that are charged",
        units={"code": _CODE, "billable": _YES_NO},
    ),
    Policy(
        estimate_exclusion,
        keys=("exclusion_code",),
        values=("stated",),
        title="What an estimate says that it leaves out",
        units={"stated": _YES_NO},
    ),
    Policy(policy_number, keys=("policy_code",), values=("value",), title="Numbers of billing", unit_column="unit"),
)
