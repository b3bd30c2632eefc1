"""A service that exists for the tests of the chassis alone: it keeps what it was told, in the order it was told."""
