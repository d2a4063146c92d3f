"""Judges one sense of a robot: what was gathered of its topic, beside what its YAML says."""

from __future__ import annotations

from collections.abc import Iterator

from mmvae_controller.cli.check_names import similar_joint, where_instead
from mmvae_controller.cli.findings import Finding, Level
from mmvae_controller.modality.robot import InputMessage, Robot, Source
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.nodes.check.facts import Facts, Heard, TopicFacts

# A sense that is masked for more of the time makes the arm stop and go; for less, it is told.
MASKED_TOO_MUCH, MASKED_NOTED = 0.1, 0.01
# A larger max_age_s than the longest gap by this, so that the next one passes too.
AGE_MARGIN = 1.5
# A sample that is lost leaves two periods between its neighbours.
PERIODS = 2
# Delays that grow by less in a second are jitter, or a clock that is being set.
GROWING = 0.5
MINUTE_S, HOUR_S, FEW = 60, 3600, 2


def judge_sense(robot: Robot, name: str, facts: Facts, step_s: float) -> Iterator[Finding]:
    """Say all that is to be said of one sense.

    Args:
        robot: As configured.
        name: Of the sense.
        facts: What was gathered.
        step_s: Between the two steps of an observation.

    """
    modality = next(m for m in robot.modalities if m.name == name)
    source, found = robot.sources[name], facts.senses[name]
    if found.not_installed:
        yield Finding(name, 'type', Level.MISSING, found.not_installed, 'install it first')
        return
    of_type = [p for p in found.publishers if p.kind == source.message]
    yield from _topic(name, source, found, facts)
    if not of_type:
        return
    incompatible = [p for p in of_type if p.incompatible]
    for publisher in incompatible:
        yield Finding(
            name,
            'QoS',
            Level.MISSING,
            f'{publisher.node} and a best-effort listener do not connect: '
            f'{publisher.incompatible}',
            'change the QoS of the publisher',
        )
    heard = found.heard
    if not heard.received:
        yield Finding(
            name,
            'rate',
            Level.MISSING,
            f'nothing came on {found.topic} in {facts.seconds:.1f} s',
            'is the driver paused, or its device unplugged? If `ros2 topic hz` on its machine '
            'hears it, something between keeps it from here: a firewall, a container without '
            '--ipc=host, shared memory of another user',
        )
        return
    if source.message is InputMessage.JOINT_STATE:
        yield from _joints(name, modality, heard)
    yield from _samples(name, modality, source, heard)
    if heard.received > heard.refused:
        yield from _rate(robot, modality, heard, step_s)
        if modality.encoder is Encoder.IMAGE:
            yield from _picture(name, source, heard)
    yield _delay(name, modality, heard, facts.simulated)


def _topic(name: str, source: Source, found: TopicFacts, facts: Facts) -> Iterator[Finding]:
    if not found.publishers:
        instead = where_instead(
            source.topic, found.topic, source.message, facts.published, 'published'
        )
        yield Finding(name, 'topic', Level.MISSING, f'{found.topic} is not published', instead)
        return
    nodes = ', '.join(map(str, found.publishers))
    others = sorted({p.kind for p in found.publishers if p.kind != source.message})
    if others:
        known = [kind for kind in others if kind in list(InputMessage)]
        yield Finding(
            name,
            'type',
            Level.MISSING,
            f'{found.topic} is {", ".join(others)}, expected {source.message}; published by '
            f'{nodes}',
            f'write `message: {known[0]}` in the robot YAML'
            if known
            else 'name the topic of that type, or let a node convert it',
        )
        return
    several = len(found.publishers) > 1
    yield Finding(
        name,
        'topic',
        Level.NOTE if several else Level.OK,
        f'{found.topic}, {source.message}, published by {nodes}',
        f'{len(found.publishers)} nodes publish it, and the newest sample counts, whosever it is: '
        'stop all but one, unless each has joints of its own'
        if several
        else '',
    )


def _joints(name: str, modality: Modality, heard: Heard) -> Iterator[Finding]:
    missing = _absent(modality, heard)
    extra = [j for j in heard.names if j not in modality.channels]
    if missing:
        alike = {j: similar_joint(j, extra) for j in missing}
        renamed = ', '.join(f'{new} for {old}' for old, new in alike.items() if new)
        yield Finding(
            name,
            'joints',
            Level.MISSING,
            f'{missing} not in the message, which has {list(heard.names)}',
            f'write {renamed} under `joints:`'
            if renamed
            else 'another node publishes them, or they have other names: correct `joints:`',
        )
        return
    unused = f'; not used: {extra}' if extra else ''
    yield Finding(name, 'joints', Level.OK, f'all {len(modality.channels)} are there{unused}')


def _absent(modality: Modality, heard: Heard) -> list[str]:
    return [joint for joint in modality.channels if joint not in heard.names]


def _samples(name: str, modality: Modality, source: Source, heard: Heard) -> Iterator[Finding]:
    # Where joints are missing, why all are refused was said already.
    absent = source.message is InputMessage.JOINT_STATE and _absent(modality, heard)
    if heard.refused and not (absent and heard.refused == heard.received):
        yield Finding(
            name,
            'samples',
            # Joints may come in messages of several nodes: some are refused, and none is missed.
            Level.MISSING if heard.refused == heard.received else Level.NOTE,
            f'{heard.refused} of {heard.received} refused: {heard.refusal}',
            _other_picture(modality, source, heard) or 'correct the driver, or the robot YAML',
        )
    if heard.unsound:
        share = heard.unsound / max(1, heard.received - heard.refused)
        yield Finding(
            name,
            'samples',
            Level.MISSING if share > MASKED_TOO_MUCH else Level.NOTE,
            f'{heard.unsound} of {heard.received - heard.refused} would be masked: {heard.fault}',
            'is the lens covered, or the scene dark? else lower `min_contrast`: docs/safety.md '
            'says how to measure it'
            if modality.encoder is Encoder.IMAGE
            else 'the sensor measures nothing: calibrate or mend it',
        )


def _other_picture(modality: Modality, source: Source, heard: Heard) -> str:
    """Return how the YAML would fit to the pictures there are; empty if that is not the matter."""
    if heard.size is None or source.picture is None:
        return ''
    keys = []
    if source.message is InputMessage.IMAGE and heard.encoding != source.picture.encoding:
        keys.append(f'`encoding: {heard.encoding}`')
    height, width = modality.shape[:2]
    if heard.size != (source.picture.camera_size or (height, width)):
        if heard.size[0] < height or heard.size[1] < width:
            return (
                f'the camera has to publish at least {width} x {height} pixels: pictures are only '
                'shrunk'
            )
        keys.append(f'`camera_size: {list(heard.size)}`')
    return f'write {" and ".join(keys)} in the robot YAML' if keys else ''


def _rate(robot: Robot, modality: Modality, heard: Heard, step_s: float) -> Iterator[Finding]:
    name, gap_s, max_age_s = modality.name, heard.longest_gap_s or 0.0, modality.max_age_s
    rate = 'one sample' if heard.rate_hz is None else f'{heard.rate_hz:.1f} Hz'
    message = f'{rate}, longest gap {gap_s:.2f} s, max_age_s {max_age_s:g}'
    if heard.late_s > 0:
        message += f', silent for the first {heard.late_s:.1f} s'
    if heard.masked_share <= MASKED_NOTED:
        yield Finding(name, 'rate', Level.OK, message)
    else:
        yield Finding(
            name,
            'rate',
            Level.MISSING if heard.masked_share > MASKED_TOO_MUCH else Level.NOTE,
            f'{message}: missing for {heard.masked_share:.0%} of the time',
            _how_to_have_it(modality, heard),
        )
    if heard.rate_hz is not None and heard.rate_hz * step_s < 1:
        yield Finding(
            name,
            'rate',
            Level.NOTE,
            f'slower than step_s, {step_s:g} s: both steps often show one and the same sample',
            f'a model sees no motion in it; sample it at {1 / step_s:.0f} Hz or more',
        )
    if heard.rate_hz is not None and heard.rate_hz * max_age_s < PERIODS and gap_s <= max_age_s:
        yield Finding(
            name,
            'rate',
            Level.NOTE,
            f'max_age_s {max_age_s:g} is less than two of its periods: one lost sample masks it',
            f'write `max_age_s: {(PERIODS + 1) / heard.rate_hz:.2g}` if the arm may go on so long '
            'without it',
        )
    if name == robot.trigger and heard.rate_hz is not None and heard.rate_hz < robot.rate_hz:
        yield Finding(
            name,
            'rate',
            Level.NOTE,
            f'drives the loop at {heard.rate_hz:.1f} Hz, rate_hz is {robot.rate_hz:g}',
            'lower `rate_hz` to what the sense has, or leave out `trigger`',
        )


def _how_to_have_it(modality: Modality, heard: Heard) -> str:
    gap_s = heard.longest_gap_s or 0.0
    if gap_s > modality.max_age_s:
        return (
            f'make the sensor faster, or `max_age_s: {AGE_MARGIN * gap_s:.2g}` if the arm may go '
            'on so long without it'
        )
    if heard.unsound:
        return 'mend the samples first, see above'
    return 'it began late: ask once more while it runs, with more --seconds'


def _picture(name: str, source: Source, heard: Heard) -> Iterator[Finding]:
    bound = source.min_contrast
    shown = f'contrast {heard.contrast:.1f}' if heard.contrast is not None else ''
    bounds = 'min_contrast is off' if bound is None else f'min_contrast {bound:g}'
    told = ', '.join(filter(None, (heard.picture, shown, bounds)))
    low = bound is None and heard.contrast is not None and heard.contrast < 1
    yield Finding(
        name,
        'picture',
        Level.NOTE if low else Level.OK,
        told,
        'it shows nothing, and a model would take it for a scene: give `min_contrast`'
        if low
        else '',
    )


def _delay(name: str, modality: Modality, heard: Heard, simulated: bool) -> Finding:
    told, todo = heard.delay_s is not None and not simulated, ''
    if heard.delay_s is None:
        message = 'no stamp: what happens before the message is sent is not known'
    elif simulated:
        message = 'stamps of simulated time: not compared with the clock here'
    elif heard.delay_s < 0:
        message = f'stamped {_span(-heard.delay_s)} ahead of the clock here'
    else:
        message = f'{_span(heard.delay_s)} since the stamp (clocks may differ)'
    if told and heard.delay_pace > GROWING:
        message += f', {heard.delay_pace:.1f} s more in each second'
        todo = (
            'either its stamps stand still, or messages pile up before they are sent and a model '
            'is shown an ever older past: look at the stamps with `ros2 topic echo`'
        )
    elif told and abs(heard.delay_s or 0.0) > modality.max_age_s:
        todo = (
            'synchronise the clocks (chrony, ntp); if it is late then too, find out where it '
            'lies: the age of a sample counts from its receipt, so a late one is taken for new'
        )
    if heard.waited_s is not None:
        message += f', {heard.waited_s * 1e3:.1f} ms in the middleware'
    return Finding(name, 'delay', Level.NOTE if todo else Level.OK, message, todo)


def _span(seconds: float) -> str:
    """Return a time in a unit in which it can be read."""
    if seconds < 1:
        return f'{seconds * 1e3:.0f} ms'
    if seconds < FEW * MINUTE_S:
        return f'{seconds:.1f} s'
    if seconds < FEW * HOUR_S:
        return f'{seconds / MINUTE_S:.0f} min'
    return f'{seconds / HOUR_S:.0f} h'
