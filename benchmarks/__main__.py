"""python -m benchmarks [--seconds S] [--threads N]: prints Markdown tables."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import statistics
from functools import partial


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--seconds",
        type=float,
        default=30.0,
        help="how long the comparison of the training step takes; each of the others takes a fifth (default: 30)",
    )
    parser.add_argument("--threads", type=int, default=1, help="threads of BLAS and of torch (default: 1)")
    arguments = parser.parse_args()
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(arguments.threads)  # read when NumPy and torch are imported
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if arguments.threads > 1 else 'false'}"

    import numpy as np

    from .cases import CASES
    from .overhead import pairs
    from .reference import STEPS, Problem, Size
    from .timing import alternate, ratio, table

    threads = f"{arguments.threads} thread{'s' if arguments.threads > 1 else ''}"
    print(f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}, {threads}\n")
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(arguments.threads)
    problem = Problem(Size())
    step = "One training step: batch 32, hidden 200, embedding 15"
    cases = {step: {name: partial(make, problem) for name, make in STEPS.items()}, **CASES}
    for title, makers in cases.items():
        candidates, absent = {}, {}
        for name, make in makers.items():
            try:
                candidates[name] = make()
            except ImportError as error:
                absent[name] = str(error).splitlines()[0]
        times = alternate(candidates, arguments.seconds / (1 if title is step else 5))
        base = "torch eager" if "torch eager" in candidates else next(iter(candidates))
        print(table(title, times, base, absent), flush=True)

    print("### One operation, recorded\n\n| | us | NumPy | overhead |\n|---|---:|---:|---:|")
    for name, ours, plain in pairs():
        times = alternate({"ours": ours, "NumPy": plain}, arguments.seconds / 30)
        mine, numpy = statistics.median(times["ours"]), statistics.median(times["NumPy"])
        print(f"| {name} | {mine:.2f} | {numpy:.2f} | {mine - numpy:.2f} ({ratio(times, 'ours', 'NumPy'):.1f} x) |")


if __name__ == "__main__":
    main()
