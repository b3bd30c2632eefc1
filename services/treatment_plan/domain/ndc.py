"""National Drug Codes as eleven digits, 5-4-2.

The code on a package has ten digits in 4-4-2, 5-3-2 or 5-4-1; the billing form pads the short part with a zero on its left (FDA, National
Drug Code; HIPAA transaction standards): 67457-108-10 is 67457010810.
"""

import re

from chassis.errors import InvalidArgument

_PARTS = {(5, 4, 2), (4, 4, 2), (5, 3, 2), (5, 4, 1)}


def normalised(ndc: str, field: str = "ndc") -> str:
    """Eleven digits. InvalidArgument naming `field` for any other form; ten digits without dashes are ambiguous and refused."""
    if re.fullmatch(r"[0-9]{11}", ndc):
        return ndc
    parts = ndc.split("-")
    if all(re.fullmatch(r"[0-9]+", part) for part in parts) and tuple(len(part) for part in parts) in _PARTS:
        labeler, product, package = parts
        return labeler.zfill(5) + product.zfill(4) + package.zfill(2)
    raise InvalidArgument(field, "must be an NDC: 11 digits, or 5-4-2, 4-4-2, 5-3-2 or 5-4-1 with dashes")
