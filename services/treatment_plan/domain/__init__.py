"""Pure rules of dosing, readiness, start and drug accounting: no input or output, no clock, no framework."""
