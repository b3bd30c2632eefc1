"""Run a program as a chosen user, tied to the life of the process that started it.

Run as a file (`python -I -S tether.py --parent PID --signal N [--user UID --group GID] -- PROGRAM ARG…`), it becomes
the program by exec: the same pid, no process in between, no memory of its own.

On Linux the kernel is asked (PR_SET_PDEATHSIG) to send the signal when the parent dies, even by `kill -9`. Three things
about that request decide the order below. A change of user clears it, so it is made after the change. It is kept over
exec (unless the program is set-user-ID). It is made too late if the parent is dead already, so the parent is looked at
afterwards. A fourth decides how `children.py` starts us: "parent" means the *thread* that did.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Change user, ask for the signal, become the program."""
    parser = argparse.ArgumentParser(prog="tether")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", type=int, required=True)
    parser.add_argument("--user", type=int)
    parser.add_argument("--group", type=int)
    parser.add_argument("program", nargs="+")
    options = parser.parse_args(arguments)
    if options.user is not None and options.group is not None:
        os.setgroups([])
        os.setgid(options.group)
        os.setuid(options.user)
    if sys.platform == "linux":
        if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, options.signal, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")
        if os.getppid() != options.parent:
            raise SystemExit("tether: the parent died before the program was started")
    os.execv(options.program[0], options.program)


if __name__ == "__main__":
    main(sys.argv[1:])
