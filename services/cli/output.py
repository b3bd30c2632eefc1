"""How every command speaks: one JSON object on standard output with --json, text for a person without; all else on standard error."""

import json
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

HomeOption = Annotated[Path, typer.Option("--home", help="Directory that holds the network's state.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
DEFAULT_HOME = Path(".saguaro")

err = Console(stderr=True)


def plain(value: Any) -> Any:
    """What JSON does not know, as text."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def give(result: Mapping[str, Any], as_json: bool, show: Callable[[], None] | None = None) -> None:
    """Prints the result: as JSON, or by `show`."""
    if as_json or show is None:
        sys.stdout.write(json.dumps(result, default=plain, indent=None if as_json else 2, sort_keys=as_json) + "\n")
        sys.stdout.flush()
    else:
        show()


def fail(message: str, *, as_json: bool = False, code: int = 1, **more: Any) -> NoReturn:
    """Says what is wrong and what to do, and ends with an exit code that is not 0."""
    if as_json:
        sys.stdout.write(json.dumps({"ok": False, "error": message, **more}, default=plain) + "\n")
    err.print(message, style="bold red", markup=False, highlight=False)
    raise typer.Exit(code)
