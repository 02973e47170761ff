"""How long `digest --help` takes, beside the bare interpreter in the same run: python -m bench.startup"""

import statistics
import subprocess
import sys
import time

RUNS = 15


def median_seconds(arguments: list[str]) -> float:
    """The median wall time of RUNS runs of the interpreter with `arguments`."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    floor = median_seconds(["-c", "pass"])
    help_ = median_seconds(["-m", "digest", "--help"])
    print(f"python -c pass      {floor:.3f} s")
    print(f"digest --help       {help_:.3f} s   {help_ / floor:.1f}x the interpreter")


if __name__ == "__main__":
    main()
