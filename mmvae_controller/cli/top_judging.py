"""Judges what was heard of a robot: what is old is told as old, whoever shows it."""

from __future__ import annotations

import math

from mmvae_controller.cli.top_snapshot import LastCommand, Part, Place, Sense, Snapshot
from mmvae_controller.nodes.reporting.staleness import (
    SEVERITY,
    stale_after_s,
    STALE_S,
    TOLD_STALE_S,
)
from mmvae_controller.nodes.reporting.status import Level, NOW
from mmvae_controller.nodes.watch.senses import STEERING_KEY
from mmvae_controller.nodes.watch.watched import Curve, is_of, Told, Watched

# What others publish comes once a second by custom, at times later, so it is old later.
OTHERS_STALE_S = 5.0
PARTS = {'gate': 'controller', 'loop': 'controller', 'model': 'diagnostics'}
# Of less in all, shares say nothing: an arm at rest is sure of its command without any sense.
FAINT_NATS = 0.1
INPUT, SENSE = 'controller: input ', 'diagnostics: sense '


def take(watched: Watched, place: Place, now_s: float, unix_s: float) -> Snapshot:
    """Return what is known at a moment.

    Args:
        watched: What was heard.
        place: Where.
        now_s: On the steady clock by which it was heard.
        unix_s: The same moment, for people.

    """
    prefix = place.namespace.strip('/')
    prefix = f'{prefix}/' if prefix else ''
    return Snapshot(
        unix_s,
        place,
        now_s - _last_heard_s(watched, prefix),
        watched.namespaces,
        _senses(watched, prefix, now_s),
        tuple(
            _part(n, watched.statuses.get(f'{prefix}{node}: {n}'), now_s, TOLD_STALE_S)
            for n, node in PARTS.items()
        ),
        _command(watched, now_s),
        _others(watched, prefix, now_s),
    )


def _last_heard_s(watched: Watched, prefix: str) -> float:
    ours = tuple(f'{prefix}{node}: ' for node in PARTS.values())
    times_s = [t.steady_s for n, t in watched.statuses.items() if n.startswith(ours)]
    times_s += [c.steady_s for c in watched.steering.values()]
    if watched.command is not None:
        times_s.append(watched.command.steady_s)
    return max(times_s, default=watched.began_s)


def _senses(watched: Watched, prefix: str, now_s: float) -> tuple[Sense, ...]:
    """Join what the controller, the diagnostics node and the curves say of each modality."""
    model = _of_modalities(watched, f'{prefix}{SENSE}')
    inputs = _of_modalities(watched, f'{prefix}{INPUT}')
    names = tuple(dict.fromkeys([*model, *inputs, *watched.steering]))
    found = {n: _nats(watched.steering.get(n), model.get(n), now_s) for n in names}
    nats = {name: value for name, value in found.items() if value is not None}
    total = sum(nats.values())
    return tuple(
        _sense(
            name,
            [t for t in (inputs.get(name), model.get(name)) if t is not None],
            nats.get(name),
            nats[name] / total if name in nats and total >= FAINT_NATS else None,
            now_s,
        )
        for name in names
    )


def _nats(curve: Curve | None, told: Told | None, now_s: float) -> float | None:
    """Return what the command would lose, if the diagnostics node stands by it now."""
    word = told if told is not None and now_s - told.steady_s <= TOLD_STALE_S else None
    if curve is not None and now_s - curve.steady_s <= STALE_S:
        withdrawn = word is not None and word.level is Level.STALE
        if word is None or not withdrawn or word.steady_s < curve.steady_s:
            return curve.nats if math.isfinite(curve.nats) else None
    return _number([word], STEERING_KEY) if word is not None else None


def _sense(
    name: str, told: list[Told], nats: float | None, share: float | None, now_s: float
) -> Sense:
    fresh = [t for t in told if now_s - t.steady_s <= TOLD_STALE_S]
    level, trouble = _worst(fresh, told, now_s)
    state = _state(fresh)
    if level is Level.STALE:
        # An input that is called known though nothing is observed was judged on a clock that
        # stands still, and so was its age.
        state, fresh = '', [t for t in fresh if t.values.get('known at t') != 'True']
    age_s, rate_hz = _number(fresh, 'age_s'), _number(fresh, 'rate_hz')
    return Sense(name, level.name, state, age_s, rate_hz, nats, share, trouble)


def _of_modalities(watched: Watched, start: str) -> dict[str, Told]:
    statuses = watched.statuses.items()
    return {n.removeprefix(start): told for n, told in statuses if n.startswith(start)}


def _worst(fresh: list[Told], told: list[Told], now_s: float) -> tuple[Level, str]:
    if not fresh:
        last_s = max((t.steady_s for t in told), default=None)
        since = '' if last_s is None else f' for {now_s - last_s:.0f} s'
        return Level.STALE, f'no status{since}'
    worst = max(fresh, key=lambda t: SEVERITY.index(_present(t)[0]))
    level, message = _present(worst)
    return level, message if level else ''


def _present(told: Told) -> tuple[Level, str]:
    """Return level and message as they are, without what is held up from trouble that is over.

    Who looks sees trouble come and go; held up, that of each new episode of a simulation would
    stand there for most of the time.
    """
    now = told.values.get(NOW, '')
    if now not in Level.__members__:
        return told.level, told.message
    return Level[now], told.message.partition(f' ({told.level.name} until ')[0]


def _state(fresh: list[Told]) -> str:
    for told in fresh:
        if 'state' in told.values:
            return told.values['state']
    for told in fresh:
        if 'known at t' in told.values:
            return 'known' if told.values['known at t'] == 'True' else 'missing'
    return ''


def _number(fresh: list[Told], key: str) -> float | None:
    for told in fresh:
        try:
            value = float(told.values[key])
        except (KeyError, ValueError):
            continue  # `none` is what the nodes say of an age that is not there.
        return value if math.isfinite(value) else None
    return None


def _part(name: str, told: Told | None, now_s: float, stale_s: float) -> Part:
    if told is None:
        return Part(name, Level.STALE.name, 'not heard yet', {}, None)
    heard_s = now_s - told.steady_s
    if heard_s > stale_s:
        # The old level is part of the text alone: it may no longer hold.
        was = f'not heard for {heard_s:.0f} s; was {told.level.name}: {told.message}'
        return Part(name, Level.STALE.name, was, {}, heard_s)
    level, message = _present(told)
    return Part(name, level.name, message, told.values, heard_s)


def _command(watched: Watched, now_s: float) -> LastCommand | None:
    command = watched.command
    if command is None:
        return None
    heard_s = now_s - command.steady_s
    rate_hz = watched.command_hz(command.steady_s)
    if heard_s > stale_after_s(1 / rate_hz if rate_hz else None):
        return LastCommand(Level.STALE.name, command.topic, command.unit, (), (), None, heard_s)
    return LastCommand(
        Level.OK.name,
        command.topic,
        command.unit,
        command.names,
        command.values,
        watched.command_hz(now_s),
        heard_s,
    )


def _others(watched: Watched, prefix: str, now_s: float) -> tuple[Part, ...]:
    shown = {f'{prefix}{node}: {name}' for name, node in PARTS.items()}
    senses = (f'{prefix}{INPUT}', f'{prefix}{SENSE}')
    robots = _robots(watched)
    troubled = [
        (-SEVERITY.index(_present(told)[0]), name, told)
        for name, told in watched.statuses.items()
        if _present(told)[0]
        and name not in shown
        and not name.startswith(senses)
        and not any(other != prefix and is_of(name, other) for other in robots)
    ]
    return tuple(
        _part(name, told, now_s, OTHERS_STALE_S)
        for _, name, told in sorted(troubled, key=lambda t: t[:2])
    )


def _robots(watched: Watched) -> set[str]:
    """Return the prefixes of the namespaces in which a robot of ours speaks."""
    ours = tuple(f'{node}: {part}' for part, node in PARTS.items())
    heard = {
        name.removesuffix(end) for name in watched.statuses for end in ours if name.endswith(end)
    }
    # Without a namespace, whose name has none is anybody's.
    return heard - {''} | {f'{n.strip("/")}/' for n in watched.namespaces if n.strip('/')}
