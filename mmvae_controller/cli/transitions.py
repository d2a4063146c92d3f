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
    inside = namespace.strip('/')
    return f'mmvae lifecycle {transition}' + (f' --namespace {inside}' if inside else '')
