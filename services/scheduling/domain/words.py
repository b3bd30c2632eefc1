"""The words in which scheduling stores kinds and states; one place, so that tables, SQL and the contract agree."""

from typing import Final

CHAIR: Final = "chair"
PUMP: Final = "pump"
MONITOR: Final = "monitor"
NURSE: Final = "nurse"
# The person who comes is an exclusive resource too, over all sites.
PERSON: Final = "person"

# What a site owns; a person is nobody's resource but is claimed like one.
RESOURCE_KINDS: Final = (CHAIR, PUMP, MONITOR, NURSE)
CLAIM_KINDS: Final = (*RESOURCE_KINDS, PERSON)

# HL7 FHIR R4 AppointmentStatus, in the words of the contract.
BOOKED: Final = "booked"
ARRIVED: Final = "arrived"
FULFILLED: Final = "fulfilled"
CANCELLED: Final = "cancelled"
NO_SHOW: Final = "no_show"
BOOKING_STATES: Final = (BOOKED, ARRIVED, FULFILLED, CANCELLED, NO_SHOW)
# In these a booking stands for its ordinal in the plan; cancelled and missed ones may be booked anew.
STANDING_STATES: Final = (BOOKED, ARRIVED, FULFILLED)

PLAN_SIGNED: Final = "signed"
PLAN_SUSPENDED: Final = "suspended"
PLAN_COMPLETED: Final = "completed"
PLAN_STATES: Final = (PLAN_SIGNED, PLAN_SUSPENDED, PLAN_COMPLETED)

PAIN: Final = "pain"
