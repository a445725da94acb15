"""python -m benchmarks [--seconds S] [--threads N]: prints Markdown tables."""

from __future__ import annotations

import argparse
import os
import platform
import statistics


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long the comparison takes (default: 30)")
    parser.add_argument("--threads", type=int, default=1, help="threads of BLAS and of torch (default: 1)")
    arguments = parser.parse_args()
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(arguments.threads)  # read when NumPy and torch are imported
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if arguments.threads > 1 else 'false'}"

    import numpy as np

    from .overhead import pairs
    from .reference import STEPS, Problem, Size
    from .timing import alternate, ratio, table

    threads = f"{arguments.threads} thread{'s' if arguments.threads > 1 else ''}"
    print(f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}, {threads}\n")
    problem = Problem(Size())
    steps, absent = {}, {}
    for name, make in STEPS.items():
        try:
            steps[name] = make(problem)
        except ImportError as error:
            absent[name] = str(error).splitlines()[0]
    if "torch eager" in steps:
        import torch

        torch.set_num_threads(arguments.threads)
    times = alternate(steps, arguments.seconds)
    base = "torch eager" if "torch eager" in steps else "NumPy by hand"
    print(table("One training step: batch 32, hidden 200, embedding 15", times, base, absent))

    print("\n### One operation, recorded\n\n| | us | NumPy | overhead |\n|---|---:|---:|---:|")
    for name, ours, plain in pairs():
        times = alternate({"ours": ours, "NumPy": plain}, arguments.seconds / 30)
        mine, numpy = statistics.median(times["ours"]), statistics.median(times["NumPy"])
        print(f"| {name} | {mine:.2f} | {numpy:.2f} | {mine - numpy:.2f} ({ratio(times, 'ours', 'NumPy'):.1f} x) |")


if __name__ == "__main__":
    main()
