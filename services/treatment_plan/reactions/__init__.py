"""What is done when another service's event arrives: one file an event."""
