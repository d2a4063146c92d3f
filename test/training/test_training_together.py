"""Several processes train one model: what they find is what one alone would have found."""

from dataclasses import replace
import multiprocessing
import os
from pathlib import Path
import socket
import traceback

from mmvae_controller.datasets.store import Dataset
from mmvae_controller.training.ageing import Ageing
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.order import Order
from mmvae_controller.training.processes import ALONE, is_launched, joined, Processes
from mmvae_controller.training.sharing import add_up
from mmvae_controller.training.trainer import Trainer
import numpy as np
import pytest
import torch

# Between two processes and one: of losses and figures.
RELATIVE = 1e-5
# Share of the weights on which nothing depends, as a bias before a norm. Their gradient is nothing
# but rounding, and moves them all the same: Adam divides it by its size.
WITHOUT_GRADIENT = 0.005
PATIENCE_S = 60.0


def train(config, data, processes=ALONE, resume=None, save=None, epochs=None, spoilt=False):
    """Return the losses of all steps, the epochs' results, and the weights."""
    dataset = Dataset(data) if isinstance(data, Path) else data
    trainer = Trainer(config, dataset, processes=processes)
    if resume is not None:
        trainer.resume(resume)
    if spoilt:
        with torch.no_grad():
            for parameter in trainer.model.parameters():
                parameter.add_(0.01 * processes.rank)
    trainer.gather()
    losses, results = [], []
    for result in trainer.epochs(lambda step, loss: losses.append(loss)):
        results.append(result)
        if len(results) == epochs:
            break
    if save is not None and processes.is_first:
        trainer.save(save)
    weights = torch.cat([p.detach().flatten() for p in trainer.model.parameters()])
    return losses, results, weights.numpy()


def work(rank, count, port, jobs, answers):
    """Be one of the processes: train whatever comes, until there is nothing more."""
    torch.set_num_threads(1)
    os.environ |= {'RANK': str(rank), 'WORLD_SIZE': str(count)}
    os.environ |= {'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(port)}
    with joined(torch.device('cpu')) as processes:
        while (job := jobs.get()) is not None:
            try:
                answers.put(train(*job[rank], processes=processes, **job[-1]))
            except TrainingError as error:
                answers.put(str(error))
            except Exception:
                answers.put(traceback.format_exc())


@pytest.fixture(scope='module')
def pair():
    """Return what lets two processes train together, and gives what each found."""
    context = multiprocessing.get_context('spawn')
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    jobs, answers = ([context.Queue() for _ in range(2)] for _ in range(2))
    workers = [
        context.Process(target=work, args=(r, 2, port, jobs[r], answers[r]), daemon=True)
        for r in range(2)
    ]
    for worker in workers:
        worker.start()

    def both(*arguments, **options):
        """Give both the same, or each its own where there are two tuples of arguments."""
        own = arguments if isinstance(arguments[0], tuple) else (arguments, arguments)
        for queue in jobs:
            queue.put((*own, options))
        return [queue.get(timeout=PATIENCE_S) for queue in answers]

    yield both
    for queue in jobs:
        queue.put(None)
    for worker in workers:
        worker.join(PATIENCE_S)
        worker.kill()


@pytest.fixture
def folder(write_world):
    return write_world(name='shared')


def assert_the_same(found, wanted):
    """Compare losses, figures and weights of two trainings."""
    assert isinstance(found, tuple), found
    assert found[0] == pytest.approx(wanted[0], rel=RELATIVE)
    for one, other in zip(found[1], wanted[1], strict=True):
        assert one.kl == pytest.approx(other.kl, rel=RELATIVE)
        assert one.command_rmse == pytest.approx(other.command_rmse, rel=RELATIVE)
        assert one.negative_log_likelihood == pytest.approx(
            other.negative_log_likelihood, rel=RELATIVE
        )
    assert np.mean(np.abs(found[2] - wanted[2]) > RELATIVE) < WITHOUT_GRADIENT


# Of 60 rows; pictures are decoded of half of a batch, or of one row.
CASES = {
    'plain': {},
    'uneven batches': {'batch_size': 17},
    'a batch for one process alone': {'batch_size': 59},
    'scrambled and noisy': {'batch_size': 17, 'passes': 2, 'scramble': 0.4, 'noise': 0.1},
    'old': {'stale': {'camera': Ageing(0.5, 0.3)}, 'batch_size': 17},
    'blank': {'blank': {'camera': 0.5}, 'batch_size': 17},
    'in blocks': {'order': Order.BLOCKS},
}


@pytest.mark.parametrize('changes', CASES.values(), ids=CASES)
def test_two_processes_find_what_one_does(pair, config, folder, changes):
    config = replace(config, **changes)
    first, second = pair(config, folder)
    assert_the_same(first, train(config, folder))
    assert np.array_equal(first[2], second[2])
    assert first[0] == second[0]


def test_windows_that_are_held_in_memory_are_shared_out_as_well(pair, icub_config, icub_windows):
    config = replace(icub_config, scramble=0.3, batch_size=17)
    first, second = pair(config, icub_windows)
    assert_the_same(first, train(config, icub_windows))
    assert np.array_equal(first[2], second[2])


def test_what_one_process_began_two_go_on_with_and_the_other_way_round(
    pair, config, folder, tmp_path
):
    config = replace(config, batch_size=17)
    wanted = train(config, folder)
    steps = len(wanted[0]) // config.epochs

    train(config, folder, save=tmp_path / 'of_one', epochs=1)
    losses, results, weights = pair(config, folder, resume=tmp_path / 'of_one')[0]
    assert_the_same((losses, results, weights), (wanted[0][steps:], wanted[1][1:], wanted[2]))

    pair(config, folder, save=tmp_path / 'of_two', epochs=1)
    found = train(config, folder, resume=tmp_path / 'of_two')
    assert_the_same(found, (wanted[0][steps:], wanted[1][1:], wanted[2]))


def test_processes_that_would_train_something_else_are_told_so(pair, config, folder):
    found = pair((config, folder), (replace(config, seed=8), folder))
    for rank, error in enumerate(found):
        assert f'process {rank} of 2 trains' in error
        assert 'start all with the same files and options' in error


def test_the_first_process_has_the_last_word_on_the_weights(pair, config, folder):
    """Two kinds of processors may draw first weights that differ in the last digit."""
    first, second = pair(config, folder, spoilt=True)
    assert np.array_equal(first[2], second[2])


def test_a_loss_that_is_not_finite_ends_all_of_them_at_the_same_step(pair, config, folder):
    for error in pair(replace(config, learning_rate=1e18, gradient_norm=1e30), folder):
        assert 'lower learning_rate' in error


def test_more_processes_than_rows_in_a_batch_are_refused(config, dataset):
    with pytest.raises(TrainingError, match='batch_size is 3, less than the 4 processes'):
        Trainer(replace(config, batch_size=3), dataset, processes=Processes(0, 4))


def test_without_torchrun_a_process_is_alone(monkeypatch):
    monkeypatch.delenv('WORLD_SIZE', raising=False)
    assert not is_launched()
    with joined(torch.device('cpu')) as processes:
        assert processes == ALONE


class Doubled:
    """Stands for two processes that find the same."""

    count = 2

    def add_up(self, tensor):
        tensor.mul_(2)


def test_what_no_process_has_a_gradient_of_gets_none_that_an_optimiser_would_decay():
    used, unused = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    (3 * used).sum().backward()
    assert add_up(Doubled(), [used, unused], {'loss': 1.5}) == {'loss': 3.0}
    assert used.grad.tolist() == [6.0, 6.0]
    assert unused.grad is None
