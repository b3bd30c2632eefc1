"""Who a person is, and the rules that a written identity has to keep. Values never enter an error: only fields and rules do."""

import re
import unicodedata
from dataclasses import astuple, dataclass
from datetime import date

from chassis.errors import Finding, InvalidArgument
from intake.domain.us_states import USPS_STATES

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
POSTAL_CODE = re.compile(r"[0-9]{5}(-[0-9]{4})?")


@dataclass(frozen=True, repr=False)
class Identity:
    """All as text. `birth_date` is YYYY-MM-DD, `phone` E.164 or empty, `email` may be empty. Has no readable repr on purpose."""

    given_name: str
    family_name: str
    birth_date: str
    administrative_sex: str
    phone: str
    email: str
    address_line: str
    city: str
    state: str
    postal_code: str

    def texts(self) -> tuple[str, ...]:
        """The values in the order of the fields."""
        return tuple(str(value) for value in astuple(self))


def check(identity: Identity, *, today: date, oldest_years: int, phone_is_valid: bool) -> None:
    """InvalidArgument with every finding. `today` is the day at the site; `oldest_years` the highest age taken as no slip of the pen."""
    findings = [
        Finding(f"identity.{field}", rule) for field, rule in _broken(identity, today, oldest_years, phone_is_valid)
    ]
    if findings:
        raise InvalidArgument(findings[0].field, findings[0].rule, findings=findings)


def _broken(identity: Identity, today: date, oldest_years: int, phone_is_valid: bool) -> list[tuple[str, str]]:
    broken = [
        (field, "must hold at least one letter")
        for field in ("given_name", "family_name")
        if not normalised(getattr(identity, field))
    ]
    born = day_of(identity.birth_date)
    if born is None:
        broken.append(("birth_date", "must be a day of the calendar, YYYY-MM-DD"))
    elif born > today:
        broken.append(("birth_date", "must not be after today at the site"))
    elif age_years(born, today) > oldest_years:
        broken.append(("birth_date", f"must not be more than {oldest_years} years ago"))
    if identity.state not in USPS_STATES:
        broken.append(("state", "must be a two-letter USPS code"))
    if not POSTAL_CODE.fullmatch(identity.postal_code):
        broken.append(("postal_code", "must be a ZIP code of 5 digits, or ZIP+4 with its hyphen"))
    if identity.phone and not phone_is_valid:
        broken.append(("phone", "must be a possible telephone number in E.164, such as +1 and ten digits"))
    if identity.email and not EMAIL.fullmatch(identity.email):
        broken.append(("email", "must be an address with a name, an @ and a domain"))
    return broken


def day_of(text: str) -> date | None:
    """The day that YYYY-MM-DD writes; None when there is no such day."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def age_years(born: date, today: date) -> int:
    """Whole years. Someone born on 29 February has the birthday on 1 March of a common year."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def normalised(text: str) -> str:
    """Letters and digits alone, without accents or case: "O'Connor-Díaz" is "oconnordiaz"."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in decomposed if character.isalnum())
