"""What intake is asked to do: one use case a file."""
