"""Pure rules and values of billing: no I/O, no clock, no framework. Decimal for money, never float."""
