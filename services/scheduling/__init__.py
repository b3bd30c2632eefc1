"""Scheduling owns sites, chairs, pumps, monitors, nurses with their shifts, and bookings that take all of them at once.

A booking takes the person too, over all sites, or it takes nothing: the database decides, by one exclusion constraint.
Scheduling never decides whether somebody may be treated, never changes a plan, and never starts or stops an infusion;
it keeps copies of the plan's state and of the infusion's end, brought by events.
"""
