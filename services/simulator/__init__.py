"""People, pumps, monitors and whole clinic days that nobody lived: they speak the real protocols with a running network.

The simulator stands outside. It owns clinic time, imports no service, and passes a decision only after the network answered.
"""
