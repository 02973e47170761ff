"""The bench of bounces on a folder of four reports made here."""

from pathlib import Path

from bench import bounces

REPORT = """From: MAILER-DAEMON@mx.example
Subject: failure notice
Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; a@reader.example
Action: failed
Status: {status}
Diagnostic-Code: smtp; {text}

--x--
"""
SAMPLES = {
    "unknown.eml": ("5.1.1", "550 5.1.1 User unknown", "5.1.1|550|userunknown|1"),
    "missed.eml": ("5.0.0", "550 rejected", "5.1.1|550|userunknown|1"),
    "filtered.eml": ("5.2.0", "550 Unknown user", "5.2.0|550|filtered|0"),
    "plain.txt": ("5.0.0", "550 rejected", "a@reader.example|permanent"),
}


def test_shares_and_false_suppressions_are_told(tmp_path: Path) -> None:
    rows = ["file\thas_delivery_status\texpected"]
    for name, (status, text, expected) in SAMPLES.items():
        (tmp_path / name).write_text(REPORT.format(status=status, text=text))
        rows.append(f"{name}\t1\t{expected}")
    (tmp_path / "index.tsv").write_text("\n".join(rows) + "\n")
    lines = bounces.lines(tmp_path, bounces.load(tmp_path), every=True)
    assert "flufl permanent: recipients found as failed for good: 1/1 = 100.0%" in lines
    assert "hard, with message/delivery-status: hard: 1/2 = 50.0%" in lines
    assert "read as hard, labelled otherwise: 1 of 1, each because it says:" in lines
    assert "  filtered.eml: labelled filtered, 'Unknown user'" in lines
    assert "false suppressions, without a code or words that name user or host: 0" in lines
    assert any("missed.eml" in line for line in lines)
