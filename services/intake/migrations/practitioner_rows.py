"""The policy data that revision 0003 inserts: which licence may hold which privilege. Frozen with that revision."""

from datetime import UTC, datetime
from typing import Any

FROM = datetime(2000, 1, 1, tzinfo=UTC)
BOARDS = "house policy after the Arizona boards: A.R.S. Title 32 chapters 13, 15, 17, 19.1, 25 and 33; A.A.C. R4-19-508"
PRIVILEGES = ("diagnose", "clear", "sign", "administer")
# Licence type -> what it may hold. A registered nurse administers; a psychologist or clinical social worker diagnoses.
ALLOWED = {
    "MD": PRIVILEGES,
    "DO": PRIVILEGES,
    "NP": PRIVILEGES,
    "PA": PRIVILEGES,
    "RN": ("administer",),
    "LPN": (),
    "PSY": ("diagnose",),
    "LCSW": ("diagnose",),
}


def rows() -> dict[str, list[dict[str, Any]]]:
    """Table name -> rows."""
    return {
        "licence_privilege": [
            {
                "licence_type": licence_type,
                "privilege": privilege,
                "allowed": privilege in allowed,
                "effective_from": FROM,
                "source": BOARDS,
            }
            for licence_type, allowed in ALLOWED.items()
            for privilege in PRIVILEGES
        ]
    }
