"""The command line: `saguaro <service> api|worker` runs one process, everything else works on a whole network."""
