"""Names that no real person has and no other text contains, so that a search for one finds a leak and nothing else."""

from random import Random

_HEADS = ("Zyv", "Quel", "Vrax", "Thryn", "Jhol", "Xand", "Mwir", "Drosk", "Fjel", "Klyth", "Ghor", "Byzl")
_HEARTS = ("qora", "thami", "zelu", "krovi", "mbexa", "rhuno", "wyxe", "ptolo", "ghira", "dzumi", "vlako", "sjeri")
_TAILS = (
    "bex",
    "dorv",
    "fyl",
    "gund",
    "hask",
    "jorm",
    "kvel",
    "lunth",
    "mirz",
    "nyx",
    "pruv",
    "tosk",
    "vund",
    "wrel",
    "yorg",
    "zhan",
)


def given_name(random: Random) -> str:
    """A first name of two parts."""
    return random.choice(_HEADS) + random.choice(_HEARTS)


def family_name(random: Random, index: int) -> str:
    """A last name of three or more parts; no two indexes below 256 share one whatever the draw, as its end spells the index."""
    low, high = _TAILS[index % 16], _TAILS[index // 16 % 16]
    return random.choice(_HEADS) + random.choice(_HEARTS) + low + high


def street_name(random: Random) -> str:
    """A street in no town."""
    kind = random.choice(("Way", "Trail", "Loop", "Lane"))
    return f"{random.choice('NSEW')} {random.choice(_HEADS)}{random.choice(_HEARTS)}{random.choice(_TAILS)} {kind}"
