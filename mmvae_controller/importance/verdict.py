"""What the tables come to, in a line: by which sense does the robot steer?"""

from __future__ import annotations

from mmvae_controller.evaluation.patterns import steering_pattern
from mmvae_controller.importance.asking import Answer
from mmvae_controller.importance.measures import COMMAND_LOSS
from mmvae_controller.importance.words import number, step_name

# Nats of the command, below which nothing is to be believed: docs/results/importance_truth.md.
LEAST = 0.5


def verdict(answer: Answer, median: bool) -> str:
    """Say which senses the command loses most without; empty if nobody asked for it.

    Asked is the mask under which a robot steers; the command at t-1 is no sense.
    """
    name = steering_pattern(answer.protocols)
    if name is None:
        return ''
    command = answer.names[answer.command]
    spreads = answer.protocols[name].spreads[COMMAND_LOSS]
    losses = {
        modality: spread.median if median else spread.mean
        for modality, spread in zip(answer.names, spreads, strict=True)
        if spread is not None and modality != command
    }
    ranked = sorted(losses, key=lambda modality: -losses[modality])
    words = [f'{modality} ({number(losses[modality])} nats)' for modality in ranked]
    needed = sum(losses[modality] >= LEAST for modality in ranked)
    asked = f'under {name}, at {step_name(answer.question.step)}'
    if not words:
        return f'{command}: no sense is known under {name}'
    if not needed:
        return (
            f'{command}: loses nothing without any one sense, most without {words[0]}: it is not '
            f'steered by them, or each is stood in for by others; {asked}'
        )
    parts = [f'relies most on {words[0]}']
    parts += [f'then on {", ".join(words[1:needed])}'] if needed > 1 else []
    parts += [f'loses nothing without {", ".join(words[needed:])}'] if words[needed:] else []
    return f'{command}: {", ".join(parts)}; {asked}'
