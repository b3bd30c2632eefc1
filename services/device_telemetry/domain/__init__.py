"""Pure rules over frames, samples, pumps and HL7 text: no I/O, no clock."""
