"""Argoos: a push to your registry rolls out to the workloads whose label allows it."""

__version__ = "0.1.0"
