"""Numbers and explanations as an operator reads them."""

from __future__ import annotations

import math

from mmvae_controller.nodes.wire.topic_names import ALONE, WITHOUT

SMALLEST_NATS = 0.01
LARGEST_PLAIN_NATS = 99_999.5
TITLES = {
    WITHOUT: 'What a column loses without a row (nats)',
    ALONE: 'What a column lacks with a row alone (nats)',
}
MEANINGS = {
    WITHOUT: 'Row i, column j: how far the decoded j moves when i is taken away; 0 means that i '
    'does not matter to j.',
    ALONE: 'Row i, column j: how far j decoded from i alone is from j decoded from everything; '
    '0 means that i alone suffices.',
}


def nats_text(nats: float) -> str:
    """Return a divergence in at most six characters."""
    if math.isnan(nats):
        return '–'
    if math.isinf(nats):
        return '∞'
    if nats < SMALLEST_NATS:
        return '0' if nats <= 0 else f'<{SMALLEST_NATS}'
    if nats > LARGEST_PLAIN_NATS:
        return f'{nats:.1e}'.replace('e+0', 'e').replace('e+', 'e')
    return f'{nats:.{2 if nats < 9.995 else 1 if nats < 99.95 else 0}f}'


def explain_cell(kind: str, row: str, column: str, nats: float) -> str:
    """Return what one cell of a matrix says, as a sentence."""
    if math.isnan(nats):
        return f'{row} is missing: what it is worth cannot be measured.'
    text = nats_text(nats)
    if kind == ALONE:
        return f'{column} decoded from {row} alone is {text} nats from {column} decoded from all.'
    if row == column:
        return f'{column} moves by {text} nats when it has to be predicted from the rest.'
    return f'{column} moves by {text} nats when {row} is taken away.'


def ago(seconds: float) -> str:
    """Return how old something is."""
    return f'last {seconds:.1f} s ago'
