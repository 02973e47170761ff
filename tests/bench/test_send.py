"""The bench of sending hands real mails of the size it names to a real sink, and says where the CPU goes."""

import re
import shutil

import pytest

from bench import send

SINK = shutil.which("smtp-sink", path="/usr/sbin:/usr/local/sbin:/usr/bin")


def test_a_mail_of_the_bench_is_signed_and_of_the_size_it_names() -> None:
    data = send.prebuilt(43)
    assert 42 * 1024 < len(data) < 44 * 1024
    assert data.startswith(b"DKIM-Signature: ") and b"multipart/alternative" in data


@pytest.mark.skipif(SINK is None, reason="no smtp-sink (Debian: postfix)")
def test_it_prints_each_sender_beside_its_peers(capfd: pytest.CaptureFixture[str]) -> None:
    send.main(["--mails", "20", "--connections", "2", "--rounds", "1", "--message-kb", "4"])
    out = capfd.readouterr().out
    assert "smtp-source: " in out and "smtplib, one connection: " in out
    lines = re.findall(r"(pipelining|aiosmtplib): \d+/s \((\d+) sent\), .* ms CPU a mail, peak \d+ MB", out)
    assert lines == [("pipelining", "20"), ("aiosmtplib", "20")]
    assert out.count("of it: message") == 2
    floor = re.search(r"sink ([\d.]+), RSA signature ([\d.]+), SHA-256 ([\d.]+) ms .*: (\d+)/s on (\d+) cores", out)
    assert floor is not None
    *costs, ceiling, cores = map(float, floor.groups())
    assert costs[1] > costs[2] and ceiling == pytest.approx(1000 * cores / sum(costs), rel=0.1)
    assert re.search(r"0\.4 of smtp-source, \d+/s, leaves -?[\d.]+ ms .* pipelining takes [\d.]+\n", out)
