"""Lock files tell who is alive: real processes, killed for real."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from digest.services.holders import LEFT_SECONDS, Holders

HOLD = """
import sys
from pathlib import Path
from digest.services.holders import Holders
with Holders(Path(sys.argv[1])).held(sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def process(folder: Path, name: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds `name` until its input ends."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(folder), name], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "held\n"
        yield started


def test_a_killed_process_is_known_to_have_ended(tmp_path: Path) -> None:
    holders = Holders(tmp_path / "holders")
    with process(tmp_path / "holders", "host-1/a") as one:
        assert holders.judged(["host-1/a", "host-2/b"]) == (set(), {"host-1/a"})
        one.send_signal(signal.SIGKILL)
        one.wait()
    assert holders.judged(["host-1/a", "host-2/b"]) == ({"host-1/a"}, set())
    holders.forget(["host-1/a"])
    assert holders.judged(["host-1/a"]) == (set(), set())


def test_a_process_that_ends_by_itself_leaves_no_file(tmp_path: Path) -> None:
    with process(tmp_path, "host-1/a") as one:
        one.communicate("")
    assert list(tmp_path.iterdir()) == []


def test_two_holders_in_one_process_know_of_each_other(tmp_path: Path) -> None:
    with Holders(tmp_path).held("me/a"), Holders(tmp_path).held("me/b"):
        assert Holders(tmp_path).judged(["me/a", "me/b"]) == (set(), {"me/a", "me/b"})
    assert Holders(tmp_path).judged(["me/a", "me/b"]) == (set(), set())


def test_files_that_nobody_settled_go_after_an_hour(tmp_path: Path) -> None:
    for name in ("old", "new"):
        with process(tmp_path, name) as one:
            one.kill()
            one.wait()
    long_ago = time.time() - LEFT_SECONDS - 60
    os.utime(tmp_path / "old.lock", (long_ago, long_ago))
    Holders(tmp_path).forget([])
    assert [path.name for path in tmp_path.iterdir()] == ["new.lock"]


def test_without_a_folder_or_where_it_cannot_be_written_nothing_is_known(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    for holders in (Holders(), Holders(blocked / "holders")):
        with holders.held("me/a"):
            assert holders.judged(["me/a"]) == (set(), set())
            holders.forget(["me/a"])


def test_a_name_of_any_kind_makes_a_file_in_the_folder(tmp_path: Path) -> None:
    name = "../höst/../../x"
    with Holders(tmp_path / "holders").held(name):
        assert len(list((tmp_path / "holders").iterdir())) == 1
        assert Holders(tmp_path / "holders").judged([name]) == (set(), {name})
