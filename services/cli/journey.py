"""`saguaro journey`: a day of seeded patients through the running network."""

from typing import Annotated

import typer

from cli.output import DEFAULT_HOME, HomeOption, JsonOption, err, give
from cli.running import running

PatientsOption = Annotated[int, typer.Option("--patients", min=1, max=5000)]
SeedOption = Annotated[int, typer.Option("--seed")]
SitesOption = Annotated[int, typer.Option("--sites", min=1, max=6)]


def journey(
    patients: PatientsOption = 10,
    seed: SeedOption = 1,
    sites: SitesOption = 3,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Drives patients from registration to payment and prints totals that depend on the seed alone."""
    from cli.addresses import LiveAddresses  # noqa: PLC0415
    from simulator.journey import run_journey  # noqa: PLC0415

    place, _ = running(home, as_json=as_json)
    result = run_journey(LiveAddresses(place), patients=patients, seed=seed, sites=sites, on_progress=None)
    give(result, as_json)
    broken = [item for item in result["invariants"] if not item["ok"]]
    if broken:
        err.print(f"{len(broken)} invariants do not hold", style="bold red")
        raise typer.Exit(1)
