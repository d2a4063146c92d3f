"""What an operator asks of a running node: a service, answered in time or not."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any

from lifecycle_msgs.srv import ChangeState, GetState
from mmvae_controller.nodes.twin import twins
from mmvae_controller.nodes.watch.listener import leave_graph, listener
from rcl_interfaces.msg import Parameter
from rcl_interfaces.srv import SetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import get_parameter_value
from std_srvs.srv import Trigger
import yaml

CONTROLLER = 'controller'
STOP = 'stop'
# Fast DDS tells of a node every 3 s, with the profile of `mmvae up` every 0.3 s; what is said to
# who has just joined can be lost.
FIND_S = 4.0
ANSWER_S = 3.0
# So long after one has stopped others are looked for.
ALONE_S = 1.0
# A transition loads robot and model, or waits for the last hold to be heard.
TRANSITION_S = 60.0
# A stop may be asked for twice; nothing is lost with it.
AGAIN_S = 0.5
# Between two looks at whether a node was found or has answered: it delays a stop.
LOOK_S = 0.002


class OperatingError(Exception):
    """A node could not be asked, or did not answer."""


class Operator:
    """Asks the nodes of a robot; spun by hand, for as long as an answer takes."""

    def __init__(self, namespace: str) -> None:
        """Join the graph in the namespace of a robot.

        Raises:
            NamespaceError: It cannot be one.
            StartError: ROS 2 does not start here.

        """
        self.namespace = f'/{namespace.strip("/")}'
        self._node = listener('operator', namespace)
        self._executor = SingleThreadedExecutor(context=self._node.context)
        self._executor.add_node(self._node)

    def close(self) -> None:
        """Leave the graph."""
        leave_graph(self._node, self._executor)

    def stop(self) -> tuple[bool, str]:
        """Have the controller hold; return whether it does, and what it says.

        Raises:
            OperatingError: It is not there, or does not answer.

        """
        answer = self._stop()
        # It holds. Another one may be found later than this was, and has to hear it as well.
        if not self._spin_until(lambda: self._count() > 1, ALONE_S):
            return answer.success, answer.message
        until_s = time.monotonic() + FIND_S
        while time.monotonic() < until_s:
            self._stop()
            self._spin_until(lambda: False, AGAIN_S)
        count = self._count()
        return False, (
            f'{answer.message}, says one of {count} of that name, and all were asked: end all but '
            'one; one that was killed is in the graph for 20 s'
        )

    def _count(self) -> int:
        return twins(self._node, CONTROLLER, self.namespace)

    def _stop(self) -> Trigger.Response:
        return self._call(f'{CONTROLLER}/{STOP}', Trigger, Trigger.Request(), AGAIN_S)

    def resume(self) -> tuple[bool, str]:
        """Let the controller go on; return whether it does, and what it says.

        Raises:
            OperatingError: It is not there, or does not answer.

        """
        # Asked once: a second time it could undo the stop of somebody who was faster.
        answer = self._call(f'{CONTROLLER}/resume', Trigger, Trigger.Request())
        return answer.success, answer.message

    def state(self) -> str:
        """Return the lifecycle state of the controller, such as `inactive`.

        Raises:
            OperatingError: It is not there, or does not answer.

        """
        answer = self._call(f'{CONTROLLER}/get_state', GetState, GetState.Request())
        return str(answer.current_state.label)

    def change(self, transition: str) -> bool:
        """Take the controller through a lifecycle transition; return whether it went.

        Raises:
            OperatingError: It is not there, or does not answer.

        """
        request = ChangeState.Request()
        request.transition.label = transition
        service = f'{CONTROLLER}/change_state'
        return bool(self._call(service, ChangeState, request, within_s=TRANSITION_S).success)

    def set(self, node: str, name: str, text: str) -> tuple[bool, str]:
        """Set a parameter of a node of the namespace; return whether it is set, and why not.

        Args:
            node: Its name.
            name: Of the parameter.
            text: The value as YAML, which decides its type.

        Raises:
            OperatingError: The node is not there, or does not answer; or this is no value.

        """
        try:
            parameter = Parameter(name=name, value=get_parameter_value(text))
        except (yaml.YAMLError, AssertionError, TypeError) as error:
            raise OperatingError(f'{text!r} is no value of a parameter') from error
        request = SetParameters.Request(parameters=[parameter])
        result = self._call(f'{node}/set_parameters', SetParameters, request).results[0]
        return result.successful, result.reason

    def _call(
        self,
        service: str,
        kind: Any,
        request: Any,
        again_s: float | None = None,
        within_s: float = ANSWER_S,
    ) -> Any:
        client = self._node.create_client(kind, service)
        if not self._spin_until(client.service_is_ready, FIND_S):
            raise OperatingError(self._not_found(service))
        until_s = time.monotonic() + within_s
        asked: list[Any] = []

        def answered() -> bool:
            return any(future.done() for future in asked)

        while (left_s := until_s - time.monotonic()) > 0:
            asked.append(client.call_async(request))
            if self._spin_until(answered, min(left_s, again_s or left_s)):
                return next(future.result() for future in asked if future.done())
        asked_for = f'{self.namespace.rstrip("/")}/{service}'
        raise OperatingError(
            f'{asked_for} did not answer within {within_s:g} s: its node hangs or was killed'
        )

    def _spin_until(self, condition: Callable[[], bool], within_s: float) -> bool:
        until_s = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > until_s:
                return False
            self._executor.spin_once(timeout_sec=LOOK_S)
        return True

    def _not_found(self, service: str) -> str:
        """Say that a node is not there, and in which namespaces there is one of its name."""
        wanted = service.split('/')[0]
        where = sorted(
            namespace
            for name, namespace in self._node.get_node_names_and_namespaces()
            if name == wanted and namespace != self.namespace
        )
        told = f'no {wanted} was found in namespace {self.namespace} within {FIND_S:g} s'
        if where:
            return f'{told}; there is one in {", ".join(where)}: give --namespace'
        return f'{told}, nor in any other: does it run, with this ROS_DOMAIN_ID?'
