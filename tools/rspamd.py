"""rspamd on loopback with a name server of ours: what a receiver makes of a signed mail."""

import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from digest.mail.dkim import ALGORITHMS, Key, new_key
from digest.ports import Envelope
from digest.services.dkim import record_name
from tools.dns_stub import Zone, name_server, reverse

ADDRESS, HELO = "203.0.113.5", "mail.example.org"
START_SECONDS = 20
PASSES = {"R_DKIM_ALLOW", "R_SPF_ALLOW", "DMARC_POLICY_ALLOW"}

CONFIGURATION = """\
.include "$CONFDIR/common.conf"
options {{
  filters = "chartable,dkim,regexp";
  tempdir = "{folder}";
  pidfile = "{folder}/rspamd.pid";
  dns {{ timeout = 1s; retransmits = 2; sockets = 4; nameserver = ["127.0.0.1:{dns}"]; }}
  control_socket = "{folder}/rspamd.sock mode=0600";
  task_timeout = 8s;
}}
logging {{ type = "file"; filename = "{folder}/rspamd.log"; level = "notice"; }}
worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; }}
worker "controller" {{ bind_socket = "127.0.0.1:{controller}"; count = 1; secure_ip = "127.0.0.1"; }}
fuzzy_check {{ enabled = false; }}
rbl {{ enabled = false; }}
surbl {{ enabled = false; }}
neural {{ enabled = false; }}
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Points (15 are spam) and the symbols that gave them; `signatures` names the algorithms that were found right."""

    points: float
    symbols: dict[str, float]
    signatures: tuple[str, ...]

    @property
    def passes(self) -> set[str]:
        """Which of DKIM, SPF and DMARC let it pass."""
        return PASSES & self.symbols.keys()


class Rspamd:
    """A running rspamd. `keys` are published in its DNS for the domain of From."""

    def __init__(self, port: int, keys: tuple[Key, ...]):
        self._port, self.keys = port, keys

    def check(self, mail: Envelope) -> Verdict:
        """What it says of a mail that comes from the address that SPF allows."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("POST", "/checkv2", mail.data, {
                "IP": ADDRESS, "Helo": HELO, "Hostname": HELO, "From": mail.sender, "Rcpt": mail.recipient})
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        symbols = answer["symbols"]
        allowed = [option.rpartition("s=")[2] for option in symbols.get("R_DKIM_ALLOW", {}).get("options", [])]
        return Verdict(
            answer["score"], {name: symbol["score"] for name, symbol in symbols.items()},
            tuple(key.algorithm for key in self.keys if key.selector in allowed))


@contextmanager
def rspamd(from_domain: str, bounce_domain: str) -> Iterator[Rspamd]:
    """rspamd in a folder of its own, with DNS records for these domains and fresh keys, while the context is open."""
    keys = tuple(new_key(f"rd-{algorithm}", algorithm) for algorithm in ALGORITHMS)
    zone = _zone(from_domain, bounce_domain, keys)
    with tempfile.TemporaryDirectory(prefix="rspamd-") as name, name_server(zone) as dns:
        folder, port = Path(name), _free_port()
        folder.chmod(0o755)
        path = folder / "rspamd.conf"
        path.write_text(CONFIGURATION.format(folder=folder, dns=dns, port=port, controller=_free_port()))
        program = shutil.which("rspamd")
        if program is None:
            raise SystemExit("rspamd is not installed: tools/need.sh rspamd")
        with subprocess.Popen([program, "-c", str(path), "-f", "--insecure"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            try:
                _wait(port, process, folder / "rspamd.log")
                yield Rspamd(port, keys)
            finally:
                process.terminate()


def _zone(from_domain: str, bounce_domain: str, keys: tuple[Key, ...]) -> Zone:
    return {
        from_domain: [f"A {ADDRESS}", f"MX {HELO}"],
        bounce_domain: [f"TXT v=spf1 ip4:{ADDRESS} -all", f"MX {HELO}"],
        HELO: [f"A {ADDRESS}"],
        f"_dmarc.{from_domain}": ["TXT v=DMARC1; p=reject; adkim=s"],
        reverse(ADDRESS): [f"PTR {HELO}"],
        **{record_name(key.selector, from_domain): [f"TXT {key.record()}"] for key in keys},
    }


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until it answers."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    said = log.read_text(errors="replace")[-2000:] if log.exists() else ""
    raise SystemExit(f"rspamd did not start:\n{said}")
