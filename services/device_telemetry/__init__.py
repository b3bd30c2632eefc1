"""Devices, who they are attached to, their frames, the alarms that follow, and what a pump delivered.

This service never commands a pump: an alarm asks, the bedside acts, and only a device's own report changes the state of an
infusion. It never decides a dose either: the order is treatment-plan's, and a start is authorised there at that moment.
"""
