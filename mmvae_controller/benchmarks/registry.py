"""The benchmarks by name; each is imported when it runs, for each needs other packages."""

from __future__ import annotations

from importlib import import_module

from mmvae_controller.benchmarks.figures import Benchmark

NAMES = ('control', 'inference', 'importance', 'study', 'jmvae', 'simulation')
BENCHMARK = 'benchmark'


def find_benchmark(name: str) -> Benchmark:
    """Return the benchmark of a name out of `NAMES`."""
    found: Benchmark = getattr(import_module(f'mmvae_controller.benchmarks.{name}'), BENCHMARK)
    return found
