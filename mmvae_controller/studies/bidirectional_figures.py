"""The figures of the study of bidirectional generation, of all models that are there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mmvae_controller.datasets.image_label import CLASSES, IMAGE, LABEL, SIDE
from mmvae_controller.studies.bidirectional_report import BY_ASKING, Line
from mmvae_controller.studies.bidirectional_scoring import latents_of_label, only, SEED
from mmvae_controller.studies.bidirectional_settings import Asking
from mmvae_controller.studies.bidirectional_training import Values
from mmvae_controller.studies.files import write_figure
from mmvae_controller.vae.bounds import believe
from mmvae_controller.vae.network import TwoStepVAE
import torch
from torch import Tensor

DPI = 100
COLOURS = 'tab10'
# How many images of each class are drawn, and how many are reconstructed.
DRAWN, SHOWN = 3, 20
# Points of the scatter, and for the label alone so many of each class.
POINTS, POINTS_OF_CLASS = 2000, 60
NAMES = (
    'top', 'trouser', 'pullover', 'dress', 'coat',
    'sandal', 'shirt', 'sneaker', 'bag', 'boot',
)  # fmt: skip

Trained = tuple[Line, TwoStepVAE]


def draw_curves(lines: Sequence[Line], out: Path) -> None:
    """Write curves.png: what each model reached over the epochs."""
    figure = Figure(figsize=(11, 4.2), layout='constrained')
    axes = figure.subplots(1, 2)
    for number, line in enumerate(lines):
        for seed, result in enumerate(line.seeds.values()):
            epochs = [e['epoch'] for e in result['curve']]
            for axis, key in zip(axes, ('validation_elbo', 'kl'), strict=True):
                label = line.model.title if seed == 0 else None
                values = [e[key] for e in result['curve']]
                # One epoch makes no line.
                dot = '.' if len(epochs) == 1 else None
                axis.plot(epochs, values, color=f'C{number}', label=label, lw=1, marker=dot)
    axes[0].set(title='ELBO of image and label, validation rows', ylabel='ELBO (nats)')
    last = [r['curve'][-1]['validation_elbo'] for line in lines for r in line.seeds.values()]
    # The first epochs would leave the rest no room.
    axes[0].set_ylim(min(last) - 15, max(last) + 3)
    axes[1].set(title='KL of the posterior from the prior, training rows', ylabel='KL (nats)')
    axes[0].legend(fontsize=8)
    for axis in axes:
        axis.set_xlabel('epoch')
        axis.grid(alpha=0.3)
    write_figure(out / 'curves.png', figure, DPI)


def draw_rounds(lines: Sequence[Line], out: Path) -> None:
    """Write rounds.png: images from their label by how often a model was asked."""
    figure = Figure(figsize=(7, 4.2), layout='constrained')
    axis: Axes = figure.subplots()
    for number, line in enumerate(lines):
        found = [r['scores'][BY_ASKING] for r in line.seeds.values()]
        means = {str(a): fmean(f[str(a)]['mean'] for f in found) for a in line.model.askings}
        if len(means) == 1:
            axis.axhline(
                next(iter(means.values())), color=f'C{number}', ls=':', label=line.model.title
            )
            continue
        for top, style in ((False, '-'), (True, '--')):
            rounds = [a.rounds for a in line.model.askings if a.top is top]
            if rounds:
                values = [means[str(Asking(n, top))] for n in rounds]
                title = line.model.title + (', by the top' if top else '')
                axis.plot(rounds, values, f'o{style}', color=f'C{number}', label=title, ms=4)
    axis.set_xscale('symlog', linthresh=1)
    every = sorted({a.rounds for line in lines for a in line.model.askings})
    axis.set_xticks(every, labels=[str(n) for n in every], minor=False)
    axis.set_xlim(-0.1, 1.3 * max(every, default=0) + 1)
    axis.set(xlabel='rounds of q -> p -> q', ylabel='log-likelihood (nats)')
    axis.set_title('Generation of the image from its label, test images')
    axis.legend(fontsize=8)
    axis.grid(alpha=0.3)
    write_figure(out / 'rounds.png', figure, DPI)


@torch.no_grad()
def draw_generated(trained: Sequence[Trained], out: Path) -> None:
    """Write generated.png: images from their label alone, a block of rows for each model."""
    figure = Figure(figsize=(8, 0.5 + 0.8 * DRAWN * len(trained)), layout='constrained')
    axes = figure.subplots(len(trained), CLASSES, squeeze=False)
    draw = torch.Generator().manual_seed(SEED)
    for row, (line, network) in enumerate(trained):
        asking = _asking(line, 'image')
        for label in range(CLASSES):
            latent = latents_of_label(network, label, DRAWN, asking, draw)
            pictures = network.decode(latent, [IMAGE])[IMAGE].mean.reshape(DRAWN * SIDE, SIDE)
            _show(axes[row, label], pictures, NAMES[label] if row == 0 else '')
        axes[row, 0].set_ylabel(line.model.title, fontsize=9)
    write_figure(out / 'generated.png', figure, DPI)


@torch.no_grad()
def draw_reconstructed(trained: Sequence[Trained], test: Values, out: Path) -> None:
    """Write reconstructed.png: test images, and what is left of them after the latent."""
    figure = Figure(figsize=(11, 0.7 * (1 + len(trained))), layout='constrained')
    axes = figure.subplots(1 + len(trained), 1, squeeze=False)[:, 0]
    shown = {n: v[:SHOWN] for n, v in test.items()}
    _show(axes[0], _side_by_side(shown[IMAGE]), '')
    axes[0].set_ylabel('image', fontsize=8, rotation=0, ha='right')
    for axis, (line, network) in zip(axes[1:], trained, strict=True):
        posterior = network.encode(shown, torch.ones(SHOWN, 2, 1))
        decoded = network.decode(posterior.mean, [IMAGE])[IMAGE].mean
        _show(axis, _side_by_side(decoded), '')
        axis.set_ylabel(line.model.title, fontsize=8, rotation=0, ha='right')
    write_figure(out / 'reconstructed.png', figure, DPI)


@torch.no_grad()
def draw_latents(trained: Sequence[Trained], test: Values, out: Path) -> None:
    """Write latents.png: what each model believes, in its two largest directions.

    They are the principal components of the means of q(z | x, y), for all three columns.
    """
    figure = Figure(figsize=(10, 3 * len(trained) + 0.5), layout='constrained')
    axes = figure.subplots(len(trained), 3, squeeze=False)
    some = {n: v[:POINTS] for n, v in test.items()}
    draw = torch.Generator().manual_seed(SEED)
    classes = some[LABEL][:, 0].argmax(1)
    for row, (line, network) in enumerate(trained):
        both = network.encode(some, torch.ones(len(classes), 2, 1)).mean
        centre = both.mean(0)
        directions = torch.linalg.svd(both - centre, full_matrices=False).Vh[:2].T
        way = _asking(line, 'label')
        alone = {IMAGE: some[IMAGE], LABEL: torch.zeros_like(some[LABEL])}
        image = believe(network, alone, only(IMAGE, len(classes)), way.rounds, draw, way.top)
        asked = _asking(line, 'image')
        label = torch.cat(
            [
                latents_of_label(network, number, POINTS_OF_CLASS, asked, draw)
                for number in range(CLASSES)
            ]
        )
        of_class = torch.arange(CLASSES).repeat_interleave(POINTS_OF_CLASS)
        columns = (
            ('image and label, means', both, classes),
            ('image alone, samples', image, classes),
        )
        for axis, (title, latent, colours) in zip(
            axes[row], (*columns, ('label alone, samples', label, of_class)), strict=True
        ):
            flat = ((latent - centre) @ directions).numpy()
            dots = axis.scatter(
                flat[:, 0], flat[:, 1], c=colours.numpy(), s=3, cmap=COLOURS, vmin=-0.5, vmax=9.5
            )
            axis.set_title(title if row == 0 else '', fontsize=10)
            axis.sharex(axes[row, 0])
            axis.sharey(axes[row, 0])
        axes[row, 0].set_ylabel(f'{line.model.title}\nsecond component')
    for axis in axes[-1]:
        axis.set_xlabel('first component')
    bar = figure.colorbar(dots, ax=axes, ticks=range(CLASSES), shrink=0.5)
    bar.ax.set_yticklabels(NAMES)
    write_figure(out / 'latents.png', figure, DPI)


def _asking(line: Line, what: str) -> Asking:
    """Return how validation chose to ask the first seed of a model."""
    chosen = line.asked(what).split(', ')[0]
    return next(a for a in line.model.askings if str(a) == chosen)


def _side_by_side(images: Tensor) -> Tensor:
    return images.reshape(-1, SIDE, SIDE).permute(1, 0, 2).reshape(SIDE, -1)


def _show(axis: Axes, picture: Tensor, title: str) -> None:
    axis.imshow(picture.numpy(), cmap='gray_r', vmin=0, vmax=1, interpolation='nearest')
    axis.set(xticks=[], yticks=[])
    axis.set_frame_on(False)
    axis.set_title(title, fontsize=8)
