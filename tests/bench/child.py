"""Runs a program of the benchmarks as a module, tied to the life of the process that started it. Arguments: module, its arguments."""

import runpy
import sys

from chassis.process_signals import die_with_parent

if __name__ == "__main__":
    die_with_parent()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
