"""What revision 0004 adds to the policy that the network ships with: how much volume tells free flow and no flow."""

from typing import Final

_FROM: Final = "2020-01-01 00:00:00+00"

# code, value, unit, source
NUMBERS: Final = (
    # The counters of pumps are as coarse as this: what rises by more, while the pump stands, flows freely.
    ("free_flow_volume", "0.1", "mL", "house policy"),
    # Twice that: were it flowing, the counter would have risen.
    ("no_flow_volume", "0.2", "mL", "house policy"),
)

STATEMENTS: Final = tuple(
    "INSERT INTO policy_number (policy_code, value, unit, source, effective_from)"
    f" VALUES ('{code}', {value}, '{unit}', '{source}', '{_FROM}')"
    for code, value, unit, source in NUMBERS
)
