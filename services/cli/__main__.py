"""`python -m cli`, as the supervisor starts its processes."""

from cli.main import main

main()
