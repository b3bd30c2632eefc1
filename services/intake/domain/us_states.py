"""Two-letter codes of USPS Publication 28, appendix B: states, the District of Columbia, possessions and military "states"."""

USPS_STATES = frozenset(
    # A text, because a list of 59 quoted codes is harder to compare with the publication.
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX "
    "UT VT VA WA WV WI WY AS FM GU MH MP PR PW VI AA AE AP".split()  # noqa: SIM905
)
