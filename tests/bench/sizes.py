"""How much each row does."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Numbers of things, and turns of each side."""

    turns: int = 3
    # Bookings asked for by 16 clients, 30 % of them for a slot that another asks for too.
    bookings: int = 4_800
    rooms: int = 500
    commands: int = 1_000
    # Commit to effect.
    paced: int = 2_000
    paced_per_s: int = 200
    relayed: int = 24_000
    # Events, each with an effect in five consumers.
    ordinary: int = 1_500
    set_wise: int = 8_000
    frames: int = 10_000
    # Sample to alarm: seconds at 200,000 samples a second.
    alarm_s: int = 10


QUICK = Sizes(
    turns=2,
    bookings=640,
    rooms=50,
    commands=200,
    paced=300,
    relayed=3_000,
    ordinary=300,
    set_wise=1_000,
    frames=800,
    alarm_s=3,
)
