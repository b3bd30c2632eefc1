"""A consumer with one table, for the rows that measure the chassis and not a service's own rules."""
