"""onnxruntime sessions as a robot uses them: one thread, and errors that say which file."""

from __future__ import annotations

from mmvae_controller.control.errors import ControlError
import onnxruntime

LOG_SEVERITY_ERROR = 3


def make_session(content: bytes, where: str) -> onnxruntime.InferenceSession:
    """Load a graph.

    Args:
        content: Of the ONNX file.
        where: Which file that is, for errors.

    Raises:
        ControlError: It cannot be loaded.

    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = LOG_SEVERITY_ERROR
    try:
        return onnxruntime.InferenceSession(content, options, providers=['CPUExecutionProvider'])
    except Exception as error:  # onnxruntime's errors share no other base.
        raise ControlError(f'{where}: cannot be loaded: {error}') from error


def input_shapes(session: onnxruntime.InferenceSession) -> dict[str, tuple[int, ...]]:
    """Return by input its shape behind the first dimension, which is free."""
    return {i.name: tuple(i.shape[1:]) for i in session.get_inputs()}


def output_names(session: onnxruntime.InferenceSession) -> list[str]:
    """Return the names of the outputs, in the order in which they come when all are asked for."""
    return [o.name for o in session.get_outputs()]
