"""Measuring several ways of doing the same, pair after pair, each in a process of its own."""

import multiprocessing
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path


def timed(call: Callable) -> float:
    """Return the seconds that a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def alternate(measurements: dict[str, Callable[[], float]], pairs: int) -> dict[str, list[float]]:
    """Take each measurement in turn, pair after pair, after a warm-up."""
    for measure in measurements.values():
        measure()
    seconds = {name: [] for name in measurements}
    for _ in range(pairs):
        for name, measure in measurements.items():
            seconds[name].append(measure())
    return seconds


def median_ratio(before: list[float], now: list[float]) -> float:
    """Return the median of the ratios of pairs."""
    return statistics.median(first / second for first, second in zip(before, now, strict=True))


class Worker:
    """A process of its own for each way, so that none disturbs another's memory and threads; one works at a time."""

    def __init__(self, build: Callable, *arguments):
        """Start the process.

        Args:
            build: called in the process with the arguments; returns a function of a number of steps.
            arguments: see `build`.
        """
        context = multiprocessing.get_context("spawn")
        self._pipe, other_end = context.Pipe()
        self._process = context.Process(target=_work, args=(other_end, build, *arguments), daemon=True)
        self._process.start()
        other_end.close()  # Or the end of a process that fails would not be noticed.
        self._pipe.recv()

    def seconds(self, steps: int) -> float:
        """Return the seconds that a number of steps takes."""
        self._pipe.send(steps)
        return self._pipe.recv()

    def peak_memory(self) -> float:
        """Return the process's peak memory in GB, and end it."""
        memory = self.seconds(0)
        self._process.join()
        return memory


def _work(pipe, build, *arguments) -> None:
    """Answer each number of steps that comes through a pipe with the seconds they took; 0, with the peak memory."""
    do = build(*arguments)
    do(1)
    pipe.send("ready")
    while steps := pipe.recv():
        pipe.send(timed(partial(do, steps)))
    # Not from getrusage, whose maximum a process inherits from the one that started it.
    [peak] = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    pipe.send(int(peak.split()[1]) / 1e6)
