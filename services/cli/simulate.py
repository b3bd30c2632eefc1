"""`saguaro simulate monitor|send`: one device of your own against a running network."""

from pathlib import Path
from typing import Annotated

import typer

from cli.output import DEFAULT_HOME, HomeOption, JsonOption, fail, give
from cli.running import running

simulate = typer.Typer(help="Devices that speak the real protocols.", no_args_is_help=True)


@simulate.command()
def monitor(
    vitals: Annotated[
        Path, typer.Option(help="A recording: minute,HR,ABPSys,… as services/simulator/recordings shows.")
    ],
    session: Annotated[str, typer.Option(help="The session that the monitor is attached to.")],
    hold: Annotated[bool, typer.Option("--hold", help="Repeat each value at 1 Hz, marked as held.")] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Replays a recording as the monitor of a session, at the period it was taken."""
    from chassis.remote import RemoteError  # noqa: PLC0415
    from cli.addresses import LiveAddresses  # noqa: PLC0415
    from simulator.calls import GaveUp  # noqa: PLC0415
    from simulator.devices import simulate_monitor  # noqa: PLC0415
    from simulator.unexpected import Unexpected  # noqa: PLC0415

    place, _ = running(home, as_json=as_json)
    if not vitals.is_file():
        fail(f"there is no recording at {vitals}", as_json=as_json)
    try:
        result = simulate_monitor(LiveAddresses(place), vitals, session, hold=hold)
    except ValueError as error:
        fail(f"the recording cannot be read: {error}", as_json=as_json)
    except RemoteError as error:
        fail(f"the network refused: {error}", as_json=as_json)
    except (Unexpected, GaveUp) as error:
        fail(f"not everything was taken: {error}", as_json=as_json)
    give(result, as_json)


@simulate.command()
def send(
    mllp: Annotated[str, typer.Option(help="host:port of an MLLP listener.")],
    file: Annotated[Path, typer.Argument(help="HL7 v2 messages: one or several, framed or not, any end of line.")],
    as_json: JsonOption = False,
) -> None:
    """Sends each message of an HL7 file over MLLP and prints its acknowledgement. Exit code 0 only where all were taken (CA or AA)."""
    from simulator.mllp_client import send_hl7  # noqa: PLC0415

    if not file.is_file():
        fail(f"there is no file {file}", as_json=as_json)
    host, _, port = mllp.rpartition(":")
    if not host or not port.isdigit():
        fail("--mllp must be host:port", as_json=as_json)
    answer = send_hl7(host, int(port), file)
    give(answer, as_json)
    if answer["taken"] < answer["sent"]:
        raise typer.Exit(1)
