"""What a replay of a recorded archive costs: python -m bench.replay ARCHIVE_DIR [more options of digest replay]

Runs the real command in a process and prints wall time, CPU time and the peak memory of the command with its parser
processes, sampled ten times a second.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAGE_BYTES = resource.getpagesize()


def tree_bytes(root: int) -> int:
    """Resident bytes of a process and its descendants (Linux: /proc); 0 where it has ended."""
    children: dict[int, list[int]] = {}
    resident: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
        resident[int(stat.parent.name)] = int(fields[21]) * PAGE_BYTES
    total, left = 0, [root]
    while left:
        process = left.pop()
        total += resident.get(process, 0)
        left += children.get(process, [])
    return total


def main() -> None:
    with tempfile.TemporaryDirectory() as out:
        start, peak = time.perf_counter(), 0
        command = [sys.executable, "-m", "digest", "replay", *sys.argv[1:], "--out", out]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            while process.poll() is None:
                peak = max(peak, tree_bytes(process.pid))
                time.sleep(0.1)
            assert process.stdout is not None
            lines = process.stdout.read().splitlines()
        wall = time.perf_counter() - start
        editions = len(list(Path(out).glob("*/edition.html")))
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(lines[-1] if lines else "no output")
    print(f"exit {process.returncode}, {editions} editions, wall {wall:.1f} s, "
          f"CPU {usage.ru_utime + usage.ru_stime:.1f} s, peak {peak / 2**20:.0f} MB")


if __name__ == "__main__":
    main()
