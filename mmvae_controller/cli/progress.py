"""The progress that every long command shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
import time
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

# With the other columns within 80, whatever the count.
BAR_COLUMNS = 20
# Between two lines where nobody watches a bar: in a pipe or a file.
LINE_EVERY_S = 10.0
FIGURES = 'figures'


class _Count(MofNCompleteColumn):
    """How much is done, and of how much if that is known."""

    def render(self, task: Task) -> Text:
        """Return it as a text."""
        if task.total is not None:
            return super().render(task)
        return Text(f'{task.completed:.0f}', style='progress.download')


class Bar(Progress):
    """A bar with the figures below it; in a pipe or a file a plain line now and then."""

    def __init__(self, console: Console | None = None) -> None:
        """Draw on a console, or standard output."""
        super().__init__(
            TextColumn('{task.description}'),
            BarColumn(BAR_COLUMNS),
            _Count(),
            TimeElapsedColumn(),
            TextColumn('left'),
            TimeRemainingColumn(),
            console=console,
        )
        self.disable = not self.console.is_terminal
        self._told_s = time.monotonic()

    def get_renderables(self) -> Iterable[RenderableType]:
        """Return the bars, then a line of figures for each task that has some."""
        yield self.make_tasks_table(self.tasks)
        for task in self.tasks:
            if task.fields.get(FIGURES):
                yield Text(task.fields[FIGURES])

    def update(self, task_id: TaskID, **changes: Any) -> None:
        """Change a task, as `Progress.update` does."""
        super().update(task_id, **changes)
        now = time.monotonic()
        if self.disable and now - self._told_s >= LINE_EVERY_S:
            self._told_s = now
            task = next(t for t in self.tasks if t.id == task_id)
            total = '' if task.total is None else f'/{task.total:.0f}'
            figures = task.fields.get(FIGURES, '')
            line = f'{task.description} {task.completed:.0f}{total}  {figures}'.rstrip()
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def working(what: str, console: Console | None = None) -> Iterator[None]:
    """Show on a terminal that something goes on whose end cannot be told; it leaves no trace."""
    with Bar(console) as bar:
        bar.live.transient = True
        bar.add_task(what, total=None)
        yield


def progress_bar() -> Bar:
    """Return a bar with a count, the time spent, the time left and a line of figures."""
    return Bar()
