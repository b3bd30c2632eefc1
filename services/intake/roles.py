"""Who may call what. Diagnosing, clearing and clearing a flag are acts of those who are licensed for them."""

REGISTERS = frozenset({"intake_clerk", "nurse"})
# May see who a person is.
IDENTIFIES = frozenset({"intake_clerk", "nurse", "clinician", "prescriber"})
SCREENS = IDENTIFIES
# May give the answers of an instrument that a clinician rates.
RATES = frozenset({"nurse", "clinician", "prescriber"})
# May read what was answered.
READS_RESULTS = RATES | {"medical_director", "service"}
# A bill and an estimate go to a name and an address.
ADDRESSES = IDENTIFIES | {"biller"}
DECIDES = frozenset({"clinician", "prescriber"})
# May see the record without who it is about.
READS = IDENTIFIES | {"operator", "scheduler", "service"}
# Keeps licences, registrations and privileges.
CREDENTIALS = frozenset({"operator", "medical_director"})
# May ask what a practitioner may do.
ASKS_PRIVILEGES = READS | {"medical_director"}
# Sees that flags and follow-ups are seen to.
SEES_TO_FLAGS = frozenset({"nurse", "clinician", "prescriber", "medical_director"})
