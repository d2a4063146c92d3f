"""The controller node: senses in, safe joint commands out."""

from __future__ import annotations

import math
import time
from typing import Any

from mmvae_controller.control.gate import Reason
from mmvae_controller.guidance.help import explained_by, Help
from mmvae_controller.nodes.errors import RefusedError
from mmvae_controller.nodes.executor import Urgency
from mmvae_controller.nodes.holds import Holds, why_old
from mmvae_controller.nodes.parameters import declare
from mmvae_controller.nodes.priority import raise_priority
from mmvae_controller.nodes.reporting.status import Level, Status
from mmvae_controller.nodes.reporting.updater import Updater
from mmvae_controller.nodes.runtime import main as run_main
from mmvae_controller.nodes.session import Session
from mmvae_controller.nodes.twin import await_twin, living_twin
from mmvae_controller.nodes.wiring import Wiring, with_limits
import numpy as np
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_srvs.srv import Trigger

SUCCESS = TransitionCallbackReturn.SUCCESS
FAILURE = TransitionCallbackReturn.FAILURE
# So often it is told again what a simulation asks for in vain.
ASKED_AGAIN_S = 30.0


class ControllerNode(LifecycleNode):
    """The lifecycle around a `Session`; every road out of `active` ends with a hold."""

    def __init__(self, **options: Any) -> None:
        """Declare the parameters; nothing is loaded before `configure`.

        Args:
            options: For `rclpy.node.Node`, e.g. `context` and `parameter_overrides`.

        """
        super().__init__('controller', **options)
        self._born_s = time.monotonic()
        declare(self, 'robot_file', '', 'Robot YAML, or the name of a shipped one')
        declare(self, 'model', '', 'Model folder, or the name of a shipped one')
        declare(self, 'autostart', True, 'Configure and activate without being told to')
        declare(self, 'observation_hz', 20.0, 'Hz, at most, of ~/observation; above 0')
        declare(
            self,
            'goal_modality',
            '',
            'Sense of which ~/goal brings the value wanted one step of the model from now; '
            'empty: the model is asked as a policy, without a goal',
        )
        declare(
            self,
            'goal_max_age_s',
            0.3,
            's, above 0: the arm holds when the last goal is older',
        )
        declare(
            self,
            'priority',
            0,
            '1 to 99: run before everything ordinary (SCHED_FIFO), if permitted; 0: as started',
        )
        declare(
            self,
            'robot_description',
            '',
            'URDF: where limits come from if the robot YAML has none; read when activated',
            fixed=False,
        )
        declare(
            self,
            'acceleration_rad_s2',
            0.0,
            'rad/s^2, for every joint, with limits from robot_description: a URDF has none',
            fixed=False,
        )
        self._wiring: Wiring | None = None
        self._session: Session | None = None
        self._holds = Holds()
        self._updater = Updater(self, self._statuses)
        stop = self.create_service(Trigger, '~/stop', self._on_stop)
        self.create_service(Trigger, '~/resume', self._on_resume)
        self.create_service(Trigger, '~/end_episode', self._on_end_episode)
        self.create_service(Trigger, '~/begin_episode', self._on_begin_episode)
        self.urgency = Urgency((stop,), {self._updater.timer}, self._spare_s)

    def start(self) -> None:
        """Configure and activate, if autostart says so."""
        if not self.get_parameter('autostart').value:
            return
        if self.trigger_configure() != SUCCESS:
            raise RefusedError
        await_twin(self, self._born_s)
        if self.trigger_activate() != SUCCESS:
            raise RefusedError

    def close(self) -> None:
        """Hold, shut down and tell the others."""
        self._leave_active()
        if self._state_name() != 'finalized':
            self.trigger_shutdown()
        self._updater.close()

    def callback_failed(self, error: Exception) -> None:
        """Hold: whatever was going on is not known to be right."""
        if self._session is not None:
            self._session.hold(Reason.ERROR)

    # rclpy swallows what is raised in a transition without a word, so each of these tells.

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load robot and model, and listen."""
        try:
            why_not = raise_priority(int(self.get_parameter('priority').value))
            if why_not:
                self.get_logger().warning(explained_by(Help.ARM_IS_JERKY, why_not))
            self._wiring = Wiring(self, self._push, self.urgency.patient)
        except Exception as error:
            self.get_logger().fatal(explained_by(Help.NOT_CONFIGURED, f'not configured: {error}'))
            return FAILURE
        self._updater.hardware_id = self._wiring.robot.name
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to command; refused without limits."""
        why_not = why_old(time.monotonic(), self.urgency.asked_since_s) or self._why_not_alone()
        if not why_not:
            try:
                self._activate()
            except Exception as error:
                why_not = str(error)
        if why_not:
            self.get_logger().fatal(explained_by(Help.NOT_ACTIVATED, f'not activated: {why_not}'))
            return FAILURE
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Hold, and command nothing more."""
        self._leave_active()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Forget robot and model."""
        self._forget()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Hold, for good."""
        self._leave_active()
        self._forget()
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Hold, and go back to the start."""
        self._leave_active()
        self._forget()
        return super().on_error(state)

    def _why_not_alone(self) -> str:
        if not living_twin(self):
            return ''
        return (
            f'there is another {self.get_fully_qualified_name()}, and two that command one arm '
            'tear it to and fro: end one'
        )

    def _activate(self) -> None:
        assert self._wiring is not None
        robot = with_limits(
            self._wiring.robot,
            self.get_parameter('robot_description').value,
            self.get_parameter('acceleration_rad_s2').value,
        )
        self._forget_goal()
        self._session = Session(self, self._wiring, robot)
        if self._holds:
            self._session.stop()  # Neither ends with a deactivation.

    def _leave_active(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _forget(self) -> None:
        wiring, self._wiring = self._wiring, None
        if wiring is not None:
            wiring.close()

    def _forget_goal(self) -> None:
        """What was wanted before is not wanted now: whoever wants it says so again."""
        if self._wiring is not None and self._wiring.goal is not None:
            self._wiring.goal.forget()

    def _push(self, name: str, value: NDArray[np.generic], now_ns: int) -> str:
        # Inactive, nothing is judged, for nothing is asked.
        return self._session.push(name, value, now_ns) if self._session else ''

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._holds.stop(time.monotonic())
        self._hold()
        inactive = self._session is None
        response.success = True
        response.message = 'not active; will hold when activated' if inactive else 'holding'
        return response

    def _on_resume(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if self._session is None:
            # What is refused changes nothing: else the next activation would move the arm.
            response.message = 'not active' + ('; still stopped' if self._holds.stopped else '')
            return response
        since_s = self.urgency.asked_since_s
        response.message = why_old(time.monotonic(), since_s) or self._holds.why_overtaken(since_s)
        if response.message:
            return response
        self._holds.stopped = False
        response.success, response.message = True, 'resumed'
        if self._holds.between:
            response.message = 'resumed; holds until the next episode begins'
        else:
            self._go_on(self._session)
        return response

    def _on_end_episode(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        """Hold until an episode begins; granted once the scene may be reset under the arm."""
        if not self.get_parameter('use_sim_time').value:
            # No simulation that strays into its graph takes a real arm from its operator.
            response.message = 'not on simulated time: start the controller with use_sim_time'
            self.get_logger().warning(
                explained_by(
                    Help.SIMULATION_WAITS, f'a simulation is refused: {response.message}'
                ),
                throttle_duration_sec=ASKED_AGAIN_S,
            )
            return response
        if not self._holds.between:
            self._holds.between = True
            self._hold()
        why_not = self._why_no_episode()
        response.success, response.message = not why_not, why_not or 'holding'
        return response

    def _on_begin_episode(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        """Go on after a reset, which ends a let-go as well; an operator's stop outlasts it."""
        response.message = self._why_no_episode()
        if not self._holds.between:
            response.message = response.message or 'no episode was ended'
        if response.message or self._session is None:
            return response
        self._holds.between = False
        self._go_on(self._session)
        response.success, response.message = True, 'begun'
        return response

    def _why_no_episode(self) -> str:
        return 'not active' if self._session is None else self._holds.why_no_episode()

    def _hold(self) -> None:
        self._forget_goal()
        if self._session is not None:
            self._session.stop()

    def _go_on(self, session: Session) -> None:
        self._forget_goal()
        session.control.resume()

    def _spare_s(self) -> float:
        return self._session.spare_s() if self._session else math.inf

    def _state_name(self) -> str:
        # rclpy has no public way to ask for it.
        return str(self._state_machine.current_state[1])

    def _statuses(self) -> list[Status]:
        state, session = self._state_name(), self._session
        if self._wiring is None:
            return [_idle(state)]
        now_ns = self._wiring.clock.now_ns()
        if session is None:
            statuses = [_idle(state)]
        else:
            statuses = [session.loop.status(session.still_s()), self._wiring.gate.status()]
        if self._wiring.goal is not None:
            statuses.append(self._wiring.goal.status(now_ns))
        return statuses + [
            health.status(now_ns, session.sensed(name) if session else None)
            for name, health in self._wiring.inputs.health.items()
        ]


def _idle(state: str) -> Status:
    return Status(
        'loop',
        Level.WARN,
        f'{state}: nothing is commanded',
        {'state': state},
        Help.NOT_ACTIVATED,
    )


def main() -> None:
    """Run the node."""
    run_main(ControllerNode, 'controller')


if __name__ == '__main__':
    main()
