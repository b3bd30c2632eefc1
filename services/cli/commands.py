"""All commands of `saguaro`, in one table."""

import typer

from cli.containers import secrets, topics
from cli.demo import demo
from cli.journey import journey
from cli.network import down, migrate, status, up
from cli.parked import parked
from cli.policy import policy
from cli.simulate import simulate
from cli.trace import trace
from cli.verify import verify

app = typer.Typer(
    name="saguaro",
    help="Runs and looks after the Saguaro clinic network. `saguaro <service> api|worker` runs one process.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (up, down, status, migrate, verify, trace, journey, demo, topics, secrets):
    app.command()(command)
app.add_typer(parked, name="parked")
app.add_typer(policy, name="policy")
app.add_typer(simulate, name="simulate")
