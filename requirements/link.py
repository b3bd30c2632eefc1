"""Give the environment that runs this file the project: both source roots on its path, and the `saguaro` command.

An editable install would do the same through a build backend, and the next `uv pip sync` would take it away again.
"""

import sys
import sysconfig
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
ROOTS = (PROJECT / "services", PROJECT / "build" / "contracts")

# The line after the first is what sh runs and what Python reads as a string: a #! line alone may not be longer than
# 127 bytes, nor its path hold a space.
COMMAND = """\
#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
import sys

from cli.main import main

sys.argv[0] = "saguaro"
sys.exit(main())
"""


def link() -> None:
    site_packages = Path(sysconfig.get_path("purelib"))
    (site_packages / "saguaro.pth").write_text("".join(f"{root}\n" for root in ROOTS), encoding="utf-8")
    command = Path(sysconfig.get_path("scripts")) / "saguaro"
    command.write_text(COMMAND.format(python=sys.executable), encoding="utf-8")
    command.chmod(0o755)


if __name__ == "__main__":
    link()
