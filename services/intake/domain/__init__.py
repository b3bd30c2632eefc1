"""Rules and values of intake: pure functions, no I/O, no clock. What varies by policy is passed in."""
