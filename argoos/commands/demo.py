"""`argoos demo`."""


def command() -> None:
    """Show."""
