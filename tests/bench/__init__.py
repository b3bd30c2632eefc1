"""`python -m tests.bench`: each row a ratio against a yardstick that was measured in the same run. docs/performance.md says how."""
