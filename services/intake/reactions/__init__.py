"""What intake does when an event of another service arrives: one file an event."""
