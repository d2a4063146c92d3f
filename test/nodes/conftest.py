"""A small robot, a small network, and a peer that talks to nodes over real DDS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
import importlib.util
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Any

from mmvae_controller.control.window import NS
from mmvae_controller.modality.contract import (
    file_checksum,
    ModelContract,
    NETWORK_FILE,
    write_contract,
)
from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.spec import Encoder
import numpy as np
import pytest

DEADLINE_S = 30.0
COMMAND_RAD_S = 0.2
# Below `slow_std` of the simulated arm.
CERTAIN_RAD_S = 0.01
LATENT = 3
ROBOT = """
robot: small
modalities:
  camera:
    role: sense
    encoder: image
    shape: [4, 6, 3]
    unit: intensity
    topic: camera/image_raw
    message: sensor_msgs/Image
    max_age_s: 0.3
    min_contrast: off
  joints:
    role: sense
    unit: rad
    topic: joint_states
    message: sensor_msgs/JointState
    joints: [left, right]
    max_age_s: 0.3
  touch:
    role: sense
    unit: N
    topic: touch
    message: geometry_msgs/WrenchStamped
    channels: [force.x, torque.z]
    max_age_s: 0.3
  motor:
    role: command
    quantity: velocity
    unit: rad/s
    joints: [left, right]
    max_age_s: 0.2
    output:
      topic: joint_command
      slow_std: off
      max_std: off
      message: std_msgs/Float64MultiArray
      limits:
        lower_rad: [-2, -2]
        upper_rad: [2, 2]
        velocity_rad_s: [1, 1]
        acceleration_rad_s2: [50, 50]
control:
  rate_hz: 50
  step_s: 0.1
  anchor: joints
  required: [joints, camera]
  max_following_error_rad: 3.2
  watchdog_s: 0.2
"""


@pytest.fixture
def robot_file(tmp_path: Path) -> Path:
    path = tmp_path / 'robot.yaml'
    path.write_text(ROBOT, encoding='utf-8')
    return path


@pytest.fixture
def robot_file_without_limits(robot_file: Path) -> Path:
    text = robot_file.read_text(encoding='utf-8')
    start, end = text.index('      limits:'), text.index('control:')
    robot_file.write_text(text[:start] + text[end:], encoding='utf-8')
    return robot_file


@pytest.fixture
def iiwa_file() -> Path:
    return Path(__file__).parents[2] / 'config' / 'robots' / 'iiwa_sim.yaml'


@pytest.fixture
def iiwa_model(tmp_path: Path, iiwa_file: Path) -> Path:
    """Return a model folder for the simulated arm, as simple as `model`, and certain: it moves."""
    return write_model(tmp_path / 'iiwa_model', load_robot(iiwa_file), std_rad_s=CERTAIN_RAD_S)


@pytest.fixture
def robot(robot_file: Path) -> Robot:
    return load_robot(robot_file)


@pytest.fixture
def model(tmp_path: Path, robot: Robot) -> Path:
    """Return a model folder whose network always wants the same speed of every joint."""
    return write_model(tmp_path / 'model', robot)


@pytest.fixture
def backward_model(tmp_path: Path, robot: Robot) -> Path:
    """Return a model folder like `model`, but whose network wants to go the other way."""
    return write_model(tmp_path / 'backward', robot, -COMMAND_RAD_S)


def write_model(
    folder: Path, robot: Robot, wanted_rad_s: float = COMMAND_RAD_S, std_rad_s: float = 1.0
) -> Path:
    """Write the model folder of a robot; see `write_network`."""
    folder.mkdir()
    write_network(folder / NETWORK_FILE, robot, wanted_rad_s, std_rad_s)
    write_contract(
        folder,
        ModelContract(
            name='small',
            modalities=robot.modalities,
            normalisers={
                m.name: Normaliser((0.0,), (255.0,))
                if m.encoder is Encoder.IMAGE
                else Normaliser((0.0,) * m.size, (1.0,) * m.size)
                for m in robot.modalities
            },
            step_s=robot.step_s,
            latent_size=LATENT,
            network={},
            provenance={},
            checksums={NETWORK_FILE: file_checksum(folder / NETWORK_FILE)},
        ),
    )
    return folder


def write_network(path: Path, robot: Robot, wanted_rad_s: float, std_rad_s: float) -> None:
    """Write a network that decodes each sense as itself and the command as a constant.

    Args:
        path: The file.
        robot: Whose senses and command.
        wanted_rad_s: The command.
        std_rad_s: Its standard deviation; that of the senses is 1.

    """
    onnx = pytest.importorskip('onnx')
    helper, kinds = onnx.helper, onnx.TensorProto
    nodes, constants, inputs, outputs = [], [], [], []

    def add(operator: str, sources: list[str], result: str, **attributes: Any) -> None:
        nodes.append(helper.make_node(operator, sources, [result], **attributes))

    def constant(name: str, values: Any, dtype: Any = np.float32) -> None:
        constants.append(onnx.numpy_helper.from_array(np.asarray(values, dtype=dtype), name))

    constant('zero', 0.0)
    constant('one', 1.0)
    constant('wanted', wanted_rad_s)
    constant('doubt', std_rad_s)
    for modality in robot.modalities:
        name = modality.name
        kind = kinds.UINT8 if modality.encoder is Encoder.IMAGE else kinds.FLOAT
        shape = ['B', 2, *modality.shape]
        inputs.append(helper.make_tensor_value_info(name, kind, shape))
        add('Cast', [name], f'{name}_float', to=kinds.FLOAT)
        add('Mul', [f'{name}_float', 'zero'], f'{name}_zero')
        source = f'{name}_float' if name in robot.sources else f'{name}_zero'
        offset = 'zero' if name in robot.sources else 'wanted'
        add('Add', [source, offset], f'{name}_mean')
        doubt = 'one' if name in robot.sources else 'doubt'
        add('Add', [f'{name}_zero', doubt], f'{name}_std')
        outputs += [
            helper.make_tensor_value_info(f'{name}_{part}', kinds.FLOAT, shape)
            for part in ('mean', 'std')
        ]
    rows = len(robot.modalities)
    inputs.append(helper.make_tensor_value_info('known', kinds.FLOAT, ['B', rows, 2]))
    constant('axes', [1, 2], np.int64)
    constant('latent', np.zeros((1, LATENT)))
    add('ReduceSum', ['known', 'axes'], 'count', keepdims=0)
    constant('last', [1], np.int64)
    add('Unsqueeze', ['count', 'last'], 'column')
    add('Add', ['column', 'latent'], 'latent_mean')
    add('Mul', ['latent_mean', 'zero'], 'latent_zero')
    add('Add', ['latent_zero', 'one'], 'latent_std')
    outputs += [
        helper.make_tensor_value_info(f'latent_{part}', kinds.FLOAT, ['B', LATENT])
        for part in ('mean', 'std')
    ]
    graph = helper.make_graph(nodes, 'small', inputs, outputs, constants)
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=10),
        str(path),
    )


class Peer:
    """Everything else in a test's ROS graph: senses, listeners, and the nodes under test."""

    def __init__(self, domain: int, robot: Robot) -> None:
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        self.robot = robot
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node('peer', context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.silent: set[str] = set()
        self.encoding = 'rgb8'
        self.joints_rad = [0.1, -0.1]
        self.stamp_s = 0
        # What is published beside the messages below, or instead of them, by topic.
        self.others: dict[str, Any] = {}
        # In which the senses are published: names that end with a slash.
        self.namespaces = ['']
        self._under_test: list[Any] = []
        self._publishers: dict[str, Any] = {}

    def add(self, node: Any) -> Any:
        """Spin a node of this process too; it is closed at the end."""
        self.executor.add_node(node)
        self._under_test.append(node)
        return node

    def listen(self, kind: type, topic: str, qos: Any = None) -> list[Any]:
        """Return the list into which messages will come, none overwritten by the next."""
        from mmvae_controller.nodes.wire.qos import REPORT

        heard: list[Any] = []
        self.node.create_subscription(kind, topic, heard.append, qos or REPORT)
        return heard

    def feel(self, period_s: float = 0.02) -> Any:
        """Publish the small robot's senses, except the silent ones; return the timer."""
        from mmvae_controller.nodes.wire.qos import SENSOR

        for topic, message in self._senses().items():
            self._publishers[topic] = self.node.create_publisher(type(message), topic, SENSOR)
        return self.node.create_timer(period_s, self.publish_senses)

    def publish_senses(self) -> None:
        """Publish each sense once."""
        for topic, message in self._senses().items():
            if hasattr(message, 'header'):
                message.header.stamp.sec = self.stamp_s
            if topic not in self.silent:
                self._publishers[topic].publish(message)

    def _senses(self) -> dict[str, Any]:
        from geometry_msgs.msg import WrenchStamped
        from mmvae_controller.nodes.wire.messages import image_message
        from sensor_msgs.msg import JointState

        senses = {
            'camera/image_raw': image_message(
                np.full((4, 6, 3), 7, dtype=np.uint8), self.encoding, self.stamp_s * NS, 'camera'
            ),
            'joint_states': JointState(
                name=['right', 'left'], position=[self.joints_rad[1], self.joints_rad[0]]
            ),
            'touch': WrenchStamped(),
            **self.others,
        }
        return {f'{n}{topic}': sense for n in self.namespaces for topic, sense in senses.items()}

    def call(self, service: str, kind: Any = None, request: Any = None) -> Any:
        """Call a service and return its answer."""
        from std_srvs.srv import Trigger

        kind = kind or Trigger
        client = self.node.create_client(kind, service)
        self.until(client.service_is_ready, f'service {service}')
        future = client.call_async(request or kind.Request())
        self.until(future.done, f'answer of {service}')
        return future.result()

    def until(
        self, condition: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S
    ) -> Any:
        """Spin until something is true, and return it."""
        end = time.monotonic() + deadline_s
        while True:
            found = condition()
            if found:
                return found
            if time.monotonic() > end:
                pytest.fail(f'waited {deadline_s} s in vain for: {what}')
            self.executor.spin_once(timeout_sec=0.05)

    def close(self) -> None:
        """Close what is under test, then the rest."""
        for node in self._under_test:
            node.close()
            node.destroy_node()
            if hasattr(node, '_state_machine'):
                # While it lives, rclpy leaves the node in the graph, for later tests to hear.
                del node._state_machine
        self.node.destroy_node()
        self.executor.shutdown()
        self.context.try_shutdown()


@pytest.fixture
def peer(domain: int, robot: Robot) -> Iterator[Peer]:
    pytest.importorskip('rclpy')
    peer = Peer(domain, robot)
    yield peer
    peer.close()


class Rig:
    """A controller in this process, its commands and its diagnostics."""

    def __init__(self, peer: Peer, robot_file: Path, model: Path, **parameters: Any) -> None:
        from diagnostic_msgs.msg import DiagnosticArray
        from mmvae_controller.nodes.controller import ControllerNode
        from rclpy.parameter import Parameter
        from std_msgs.msg import Float64MultiArray

        parameters = {'robot_file': str(robot_file), 'model': str(model), **parameters}
        self.peer = peer
        self.commands = peer.listen(Float64MultiArray, 'joint_command')
        self.diagnostics = peer.listen(DiagnosticArray, '/diagnostics')
        self.node = ControllerNode(
            context=peer.context,
            parameter_overrides=[Parameter(name, value=v) for name, v in parameters.items()],
        )
        peer.add(self.node)

    def status(self, name: str) -> Any:
        """Return the newest status of that name."""
        if not self.diagnostics:
            return None
        return next((s for s in self.diagnostics[-1].status if s.name == name), None)

    def value(self, name: str, key: str) -> str:
        """Return a value of the newest status of that name."""
        return next(v.value for v in self.status(name).values if v.key == key)

    def until_status(self, name: str, text: str) -> Any:
        """Spin until the newest status of that name says so."""

        def says() -> Any:
            status = self.status(name)
            return status if status is not None and text in status.message else None

        return self.peer.until(says, f'{name} to say {text!r}, last was {self.status(name)}')

    def until_moving(self) -> None:
        """Spin until two more commands differ."""
        self.commands.clear()
        self.peer.until(lambda: moved(self.commands), 'commands that move')

    def until_standing(self) -> list[float]:
        """Spin until three more commands are equal, and return them."""
        self.commands.clear()
        self.peer.until(
            lambda: len(self.commands) >= 3 and not moved(self.commands[-3:]),
            'commands that stand',
        )
        return list(self.commands[-1].data)


def moved(commands: list[Any]) -> bool:
    """Tell whether any two differ."""
    return len({tuple(c.data) for c in commands}) > 1


@pytest.fixture
def rig(
    peer: Peer, robot_file: Path, model: Path, request: pytest.FixtureRequest
) -> Callable[..., Rig]:
    """Return what builds a controller with parameters, and on request for another robot.

    Without limits, or one that is let go when it is farther than that from its set-point.
    """

    def build(
        without_limits: bool = False, following_rad: float | None = None, **parameters: Any
    ) -> Rig:
        if without_limits:
            request.getfixturevalue('robot_file_without_limits')
        if following_rad is not None:
            text = robot_file.read_text(encoding='utf-8')
            robot_file.write_text(
                text.replace('error_rad: 3.2', f'error_rad: {following_rad}'), encoding='utf-8'
            )
        return Rig(peer, robot_file, model, **parameters)

    return build


@pytest.fixture
def iiwa_rig(peer: Peer, iiwa_file: Path, iiwa_model: Path) -> Callable[..., Rig]:
    """Return what builds a controller of the simulated arm with parameters."""
    return lambda **parameters: Rig(peer, iiwa_file, iiwa_model, **parameters)


class Program:
    """A node as a process of its own."""

    def __init__(self, module: str, arguments: list[str], log: Path) -> None:
        self._log = log
        # Tests started with nohup ignore SIGHUP, and so would the program, as it should.
        usual = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        with log.open('wb') as file:
            self.process = subprocess.Popen(
                [sys.executable, '-m', module, '--ros-args', *arguments],
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        signal.signal(signal.SIGHUP, usual)

    def ended(self) -> bool:
        return self.process.poll() is not None

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Return the exit code."""
        return self.process.wait(DEADLINE_S)

    @property
    def output(self) -> str:
        return self._log.read_text(encoding='utf-8', errors='replace')


@pytest.fixture(autouse=True)
def no_wait_for_twins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nodes in this process begin at once: none of them has a twin."""
    if importlib.util.find_spec('rclpy') is not None:
        monkeypatch.setattr('mmvae_controller.nodes.twin.SEEN_WITHIN_S', 0.0)


@pytest.fixture
def program(tmp_path: Path, domain: int) -> Iterator[Callable[..., Program]]:
    """Return what starts `python -m module --ros-args arguments`."""
    pytest.importorskip('rclpy')
    started: list[Program] = []

    def start(module: str, *arguments: str) -> Program:
        started.append(Program(module, list(arguments), tmp_path / f'log{len(started)}.txt'))
        return started[-1]

    yield start
    for one in started:
        if not one.ended():
            one.process.kill()
        one.process.wait()


@pytest.fixture
def lonely_model(tmp_path: Path, robot: Robot) -> Path:
    """Return a model folder of the command alone."""
    return write_model(
        tmp_path / 'lonely', replace(robot, modalities=(robot.command,), sources={})
    )
