"""The demo: sample workloads, notifications that real registries sent, and the real daemon between them."""
