"""Pure rules and values of scheduling: no I/O, no clock, no framework."""
