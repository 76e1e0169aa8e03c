"""Receivers: what each kind of sender posts, read into pushes. Pure: bytes and headers in, values out."""

from collections.abc import Mapping

from argoos.ports import Receiver
from argoos.receivers.distribution import Distribution

RECEIVERS: Mapping[str, Receiver] = {receiver.name: receiver for receiver in (Distribution(),)}
"""Every receiver by its name. A new sender is one module and one entry here."""
