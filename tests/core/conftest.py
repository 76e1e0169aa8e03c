"""Hypothesis in two sizes: `quick` for every run, and `--hypothesis-profile=thorough` for whoever changes a rule."""

import pytest
from hypothesis import settings

settings.register_profile("quick", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=2_000, deadline=None)


def pytest_configure(config: pytest.Config) -> None:
    """Take the quick profile unless the command line names another."""
    if config.getoption("--hypothesis-profile", default=None) is None:
        settings.load_profile("quick")
