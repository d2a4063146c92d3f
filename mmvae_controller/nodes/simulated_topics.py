"""On which topics the simulation speaks: those where the robot listens."""

from __future__ import annotations

from mmvae_controller.modality.robot import InputMessage, Robot
from mmvae_controller.simulation.errors import SimulationError

# What it makes, and where a robot listens that does not say it.
TOPICS = {
    InputMessage.IMAGE: 'camera/image_raw',
    InputMessage.JOINT_STATE: 'joint_states',
    InputMessage.WRENCH_STAMPED: 'touch',
}
# What it does not make, and what the same sense can come in. Plain numbers are for other nodes to
# publish, as the tracker does.
INSTEAD_OF = {
    InputMessage.COMPRESSED_IMAGE: InputMessage.IMAGE,
    InputMessage.POINT_CLOUD: InputMessage.IMAGE,
    InputMessage.WRENCH: InputMessage.WRENCH_STAMPED,
    InputMessage.GAZEBO_CONTACTS: InputMessage.WRENCH_STAMPED,
    InputMessage.GZ_CONTACTS: InputMessage.WRENCH_STAMPED,
}


def topics_of(robot: Robot) -> dict[InputMessage, str]:
    """Return where each message that the simulation makes goes.

    Raises:
        SimulationError: A sense would stay silent or get the signal of another: it comes in a
            message that the simulation does not make, or on one of two topics of one type.

    """
    topics = dict(TOPICS)
    heard: dict[InputMessage, str] = {}
    for name, source in robot.sources.items():
        made = INSTEAD_OF.get(source.message)
        if made is not None:
            raise SimulationError(
                f'{robot.path}: {name} comes as {source.message}, the simulation makes {made}'
            )
        if source.message not in topics:
            continue
        other = heard.setdefault(source.message, name)
        # Several parts of the same message may be as many senses.
        if robot.sources[other].topic != source.topic:
            raise SimulationError(
                f'{robot.path}: {other} and {name} are {source.message} on two topics, '
                f'{robot.sources[other].topic} and {source.topic}; the simulation has one such '
                'sensor: take one of them out'
            )
        topics[source.message] = source.topic
    return topics
