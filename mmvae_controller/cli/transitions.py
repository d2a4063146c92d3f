"""The lifecycle of the controller as an operator sees it; it needs no ROS 2 to complete words."""

from __future__ import annotations

# By state: what may come next, and where it leads.
TRANSITIONS = {
    'unconfigured': {'configure': 'inactive', 'shutdown': 'finalized'},
    'inactive': {'activate': 'active', 'cleanup': 'unconfigured', 'shutdown': 'finalized'},
    'active': {'deactivate': 'inactive', 'shutdown': 'finalized'},
    'finalized': {},
}
# Where each transition leads, from whatever state.
LEADS_TO = {t: end for ends in TRANSITIONS.values() for t, end in ends.items()}


def lifecycle_command(transition: str, namespace: str) -> str:
    """Return the command line of a transition."""
    return f'mmvae lifecycle {transition}{namespace_option(namespace)}'


def namespace_option(namespace: str) -> str:
    """Return what goes on a command line for a namespace; empty for none."""
    inside = namespace.strip('/')
    return f' --namespace {inside}' if inside else ''
