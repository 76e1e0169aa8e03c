"""Kubernetes: Deployments, StatefulSets, DaemonSets and CronJobs of one cluster."""

from argoos.backends.kubernetes.backend import KubernetesBackend
from argoos.backends.kubernetes.options import KubernetesOptions, Namespaces

__all__ = ["KubernetesBackend", "KubernetesOptions", "Namespaces"]
