"""National Drug Codes in the form that claims carry: eleven digits, 5-4-2.

Source: FDA, National Drug Code Directory, and the HIPAA standard for NDC in X12 837 (loop 2410, LIN03, qualifier N4): the
part that is one digit short is padded with a zero on its left.
"""

import re

_LENGTHS = ((5, 4, 2), (4, 4, 2), (5, 3, 2), (5, 4, 1))


def eleven_digits(ndc: str) -> str | None:
    """'67457-108-10' is '67457010810'. None when it is not certain: ten digits without hyphens could be any of three."""
    if re.fullmatch(r"[0-9]{11}", ndc):
        return ndc
    parts = ndc.split("-")
    if not all(re.fullmatch(r"[0-9]+", part) for part in parts) or tuple(map(len, parts)) not in _LENGTHS:
        return None
    labeler, product, package = parts
    return f"{labeler:0>5}{product:0>4}{package:0>2}"
