"""Reads: bookings, free times and why a time is not free, changes, the waiting list, checklists, calendars."""
