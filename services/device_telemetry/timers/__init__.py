"""Work by the wall: partitions ahead of time, logs that stopped."""
