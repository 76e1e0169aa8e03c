"""Benchmarks: what Argoos takes, each figure beside a baseline measured in the same run, on real servers.

`python -m bench` runs all of them; docs/benchmarks.md says what they measure and shows the last table.
"""
