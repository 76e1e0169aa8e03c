"""The settings: where they come from, what they mean, and how they are shown. The only reader of the environment."""

from argoos.settings.fields import Address, DatabaseUrl
from argoos.settings.flags import Flags
from argoos.settings.load import Loaded, Need, Surroundings, load
from argoos.settings.schema import (
    BackendSettings,
    GitSettings,
    KubernetesSettings,
    ManifestsSettings,
    NamespaceSettings,
    RegistrySettings,
    Settings,
)
from argoos.settings.tokens import Tokens

__all__ = [
    "Address",
    "BackendSettings",
    "DatabaseUrl",
    "Flags",
    "GitSettings",
    "KubernetesSettings",
    "Loaded",
    "ManifestsSettings",
    "NamespaceSettings",
    "Need",
    "RegistrySettings",
    "Settings",
    "Surroundings",
    "Tokens",
    "load",
]
