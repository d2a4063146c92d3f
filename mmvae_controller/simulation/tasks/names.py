"""What the tasks are called; apart from them, so that a shell can offer names without PyBullet."""

TASK_NAMES = TOUCH_TARGET, INTERCEPT, PRESS, IMITATE = (
    'touch_target',
    'intercept',
    'press',
    'imitate',
)
