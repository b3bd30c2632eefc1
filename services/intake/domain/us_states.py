"""Two-letter codes of USPS Publication 28, appendix B: states, the District of Columbia, possessions and military "states"."""

_STATES = """
AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX
UT VT VA WA WV WI WY
"""
_POSSESSIONS_AND_FREELY_ASSOCIATED = "AS FM GU MH MP PR PW VI"
_MILITARY = "AA AE AP"

USPS_STATES = frozenset(f"{_STATES} {_POSSESSIONS_AND_FREELY_ASSOCIATED} {_MILITARY}".split())
