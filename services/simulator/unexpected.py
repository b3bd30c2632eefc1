"""What ends a patient's way when the network does not do what the script says it must."""


class Unexpected(Exception):
    """An answer that the script rules out. The text names the rule, never a value."""
