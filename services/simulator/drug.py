"""The vial, the bag and where every milligram of an opened vial went."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

from saguaro.treatment_plan.v1.types_pb2 import PumpProgramme

# Ketamine 50 mg/mL in a vial of 10 mL (DailyMed); the middle part of its 5-3-2 code is padded on bills: 67457010810.
NDC: Final = "67457-108-10"
VIAL_MG_PER_ML: Final = Decimal(50)
LOT: Final = "SYN-2026-07"
LOT_EXPIRES_ON: Final = "2027-12-31"
_VIAL_ML: Final = Decimal(10)
# The line is primed with drug and not flushed to the patient: what stays in it is wasted (house policy).
_RESIDUE_ML: Final = Decimal(15)


@dataclass(frozen=True)
class Bag:
    """A finished bag: its volume, the drug's own included, and what was drawn from vials for it."""

    volume_ml: Decimal
    drawn_ml: Decimal

    @property
    def drawn_mg(self) -> Decimal:
        """The drug in the bag."""
        return self.drawn_ml * VIAL_MG_PER_ML


@dataclass(frozen=True)
class Account:
    """Milligrams of the opened vials. Opened is delivered, returned and wasted together."""

    opened_mg: Decimal
    returned_mg: Decimal
    wasted_mg: Decimal


def bag_of(programme: PumpProgramme) -> Bag:
    """The bag for a programme: its volume and the residue of the line, at exactly the ordered concentration."""
    volume_ml = Decimal(programme.vtbi_ml) + _RESIDUE_ML
    return Bag(volume_ml, volume_ml * Decimal(programme.concentration_mg_per_ml) / VIAL_MG_PER_ML)


def account_of(bag: Bag, delivered_mg: Decimal) -> Account:
    """Whole vials are opened; what was not drawn goes back, what was drawn and not delivered is wasted."""
    vials = (bag.drawn_ml / _VIAL_ML).to_integral_value(ROUND_CEILING)
    opened_mg = vials * _VIAL_ML * VIAL_MG_PER_ML
    return Account(opened_mg, opened_mg - bag.drawn_mg, bag.drawn_mg - delivered_mg)
