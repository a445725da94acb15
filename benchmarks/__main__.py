"""python -m benchmarks [--seconds S] [--threads N] [--large]: prints Markdown tables."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from functools import partial


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--seconds",
        type=float,
        default=30.0,
        help="how long a comparison of the training step takes; each of the others takes a fifth (default: 30)",
    )
    parser.add_argument(
        "--threads",
        type=int,
        help="threads of BLAS and of torch (default: 1; with --large, as many as they take by themselves)",
    )
    parser.add_argument("--large", action="store_true", help="only the training step, at larger sizes")
    arguments = parser.parse_args()
    count = arguments.threads or (None if arguments.large else 1)
    if count:
        for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[variable] = str(count)  # read when NumPy and torch are imported
        os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if count > 1 else 'false'}"

    import numpy as np

    from .buffers import numpy_buffers_step
    from .cases import CASES, Case
    from .overhead import pairs
    from .reference import LARGER, STEPS, Problem, Size
    from .timing import alternate, ratio, table

    threads = f"{count} thread{'s' if count > 1 else ''}" if count else "threads by default"
    print(f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}, {threads}\n")
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(count or torch.get_num_threads())

    def compare(title: str, makers: Case, seconds: float, bases: Sequence[str]) -> None:
        """Print a table, with ratios to the fastest of `bases`, or to the first of all where none of them is there."""
        candidates, absent = {}, {}
        for name, make in makers.items():
            try:
                candidates[name] = make()
            except ImportError as error:
                absent[name] = str(error).splitlines()[0]
        times = alternate(candidates, seconds)
        present = [name for name in bases if name in times] or [next(iter(times))]
        base = min(present, key=lambda name: statistics.median(times[name]))
        print(table(title, times, base, absent), flush=True)

    steps = {**STEPS, "NumPy by hand, with buffers": numpy_buffers_step}

    def compare_steps(size: Size, names: Iterable[str], bases: Sequence[str]) -> None:
        problem = Problem(size)
        title = "One training step: batch {}, hidden {}, embedding {}".format(*size)
        compare(title, {name: partial(steps[name], problem) for name in names}, arguments.seconds, bases)

    if arguments.large:
        for size in LARGER:
            torches = ("torch eager", "torch.compile")
            compare_steps(size, [*[name for name in steps if name.startswith("tinygrad_lite")], *torches], torches)
        return
    compare_steps(Size(), steps, ("torch eager",))
    for title, makers in CASES.items():
        compare(title, makers, arguments.seconds / 5, ("torch eager",))

    print("### One operation, recorded\n\n| | us | NumPy | overhead |\n|---|---:|---:|---:|")
    for name, ours, plain in pairs():
        times = alternate({"ours": ours, "NumPy": plain}, arguments.seconds / 30)
        mine, numpy = statistics.median(times["ours"]), statistics.median(times["NumPy"])
        print(f"| {name} | {mine:.2f} | {numpy:.2f} | {mine - numpy:.2f} ({ratio(times, 'ours', 'NumPy'):.1f} x) |")


if __name__ == "__main__":
    main()
