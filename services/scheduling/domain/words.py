"""The words in which scheduling stores kinds and states; one place, so that tables, SQL and the contract agree."""

from typing import Final

CHAIR: Final = "chair"
PUMP: Final = "pump"
MONITOR: Final = "monitor"
NURSE: Final = "nurse"
# The person who comes is an exclusive resource too, over all sites.
PERSON: Final = "person"

ROOM: Final = "room"
PRACTITIONER: Final = "practitioner"

# What a site has; a person is nobody's resource but is claimed like one.
INFUSION_KINDS: Final = (CHAIR, PUMP, MONITOR, NURSE)
RESOURCE_KINDS: Final = (*INFUSION_KINDS, ROOM, PRACTITIONER)
CLAIM_KINDS: Final = (*RESOURCE_KINDS, PERSON)
# Who works in shifts, at whichever site.
STAFF_KINDS: Final = (NURSE, PRACTITIONER)

# Appointment types.
INFUSION: Final = "infusion"
CONSULTATION: Final = "consultation"
TYPES: Final = (INFUSION, CONSULTATION)

# Moments of a visit, from which and until which it takes a resource.
ARRIVAL: Final = "arrival"
INFUSION_START: Final = "infusion_start"
INFUSION_END: Final = "infusion_end"
VISIT_END: Final = "visit_end"
CLEANING_END: Final = "cleaning_end"
INTERVAL_END: Final = "interval_end"
FROM_PHASES: Final = (ARRIVAL, INFUSION_START)
UNTIL_PHASES: Final = (INFUSION_END, VISIT_END, CLEANING_END, INTERVAL_END)

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

HELD: Final = "held"
CONFIRMED: Final = "confirmed"
RELEASED: Final = "released"
EXPIRED: Final = "expired"
HOLD_STATES: Final = (HELD, CONFIRMED, RELEASED, EXPIRED)

MOVE: Final = "move"
CANCEL: Final = "cancel"
CHANGE_KINDS: Final = (MOVE, CANCEL)
PROPOSED: Final = "proposed"
DONE: Final = "done"
REFUSED: Final = "refused"
CHANGE_STATES: Final = (PROPOSED, DONE, REFUSED)
NO_ANSWER: Final = "no.answer"
INFUSION_STARTED: Final = "infusion.started"

COMPLETED: Final = "completed"
CONSULTATION_STATES: Final = (BOOKED, COMPLETED, CANCELLED)

WAITING: Final = "waiting"
OFFERED: Final = "offered"
LEFT: Final = "left"
WAITING_STATES: Final = (WAITING, OFFERED, BOOKED, LEFT)

# Rules that a privileged role may set aside.
SOFT_INTERVAL: Final = "interval.soft"
CLOSED: Final = "hours.closed"
CLEANING: Final = "buffer.cleaning"
CHECKLIST: Final = "checklist.incomplete"
