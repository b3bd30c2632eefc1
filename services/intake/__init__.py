"""Intake owns people: who they are (sealed), at which sites they are seen, what they consented to, how they scored, what was
diagnosed, and whether they were cleared for treatment. It never plans, books, doses or bills.
"""
