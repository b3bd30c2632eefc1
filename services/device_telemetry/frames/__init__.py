"""The worker's side of the frame log: a polled batch becomes state, alarms and stored frames in one transaction."""
