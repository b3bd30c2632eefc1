"""Billing owns price lists, charges, estimates, invoices, payments, packages and the double-entry ledger under them.

A charge set comes from each infusion that ended (SessionClosed), each evaluation (EvaluationRecorded) and each completed
instrument (InstrumentCompleted), once, in whatever order they arrive; one line for each code. What cannot be priced for
certain is held with a reason until somebody reviews it, never guessed and never dropped. Billing changes nothing
clinical, and knows people by id only: a name is on paper that is printed and in nothing that is kept.
"""
