"""Treatment plan: protocols, plans, signed orders, the record of each session and the account of its drug.

It decides what may be given: how much, how fast, to whom, under which signature, and whether this pump may start now. It marks an order
used, once. It closes a session when the pump's totals and the vial agree. It never books a time, never reads a device, never charges, and
knows a person by id alone. What it knows of clearances, consents and safety flags is a copy of intake's events; what was infused is a copy
of device-telemetry's.
"""
