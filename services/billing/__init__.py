"""Billing owns price lists, charges, invoices, payments and the double-entry ledger under them.

A charge comes from SessionClosed alone: one charge set for each infusion that ended, one line for each code. What cannot
be priced for certain is held with a reason, never guessed and never dropped. Billing changes nothing clinical, and
knows people by id only.
"""
