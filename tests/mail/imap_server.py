"""A real IMAP server on loopback: Dovecot with one user, a certificate of its own and a folder that tests fill."""

import datetime
import getpass
import grp
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DOVECOT = shutil.which("dovecot") or shutil.which("/usr/sbin/dovecot")
CONFIG = """
protocols = imap
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/log
mail_location = maildir:{root}/mail
first_valid_uid = 0
first_valid_gid = 0
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {login_user}
ssl = required
ssl_cert = <{root}/cert.pem
ssl_key = <{root}/key.pem
listen = 127.0.0.1
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
"""


class ImapServer:
    """`port` speaks TLS from the first byte, `plain_port` STARTTLS; user "bounces", password "secret"."""

    def __init__(self, root: Path, port: int, plain_port: int):
        self.root, self.port, self.plain_port = root, port, plain_port
        self._count = 0

    @property
    def certificate(self) -> Path:
        return self.root / "cert.pem"

    def deliver(self, raw: bytes) -> None:
        """Puts a mail into INBOX."""
        self._count += 1
        folder = self.root / "mail" / "new"
        (folder / f"{1_700_000_000 + self._count}.M{self._count}.here").write_bytes(raw)

    def mails(self) -> dict[str, bool]:
        """The mails of INBOX by their subjects, and whether each is still unseen."""
        found = {}
        for path in [*(self.root / "mail" / "new").glob("*"), *(self.root / "mail" / "cur").glob("*")]:
            subject = next(line for line in path.read_text().splitlines() if line.startswith("Subject: "))
            found[subject.removeprefix("Subject: ")] = "S" not in path.name.partition(":2,")[2]
        return found


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    """A running server with an empty mailbox, in a folder of its own: as root its log-in runs as nobody."""
    with tempfile.TemporaryDirectory(prefix="digest-imap-") as folder:
        Path(folder).chmod(0o755)
        with _running(Path(folder)) as server:
            yield server


@contextmanager
def _running(root: Path) -> Iterator[ImapServer]:
    for name in ("run", "state", "mail", "mail/cur", "mail/new", "mail/tmp"):
        (root / name).mkdir()
    _write_certificate(root)
    server = ImapServer(root, _free_port(), _free_port())
    user = getpass.getuser()
    reader = pwd.getpwnam("nobody" if os.getuid() == 0 else user)  # Dovecot lets root neither log in nor read mail
    (root / "conf").write_text(CONFIG.format(
        root=root, user=user, group=grp.getgrgid(os.getgid()).gr_name, login_user=reader.pw_name, uid=reader.pw_uid,
        gid=reader.pw_gid, port=server.port, plain=server.plain_port))
    for path in (root / "mail", *(root / "mail").iterdir()):
        os.chown(path, reader.pw_uid, reader.pw_gid)
    process = subprocess.Popen([str(DOVECOT), "-F", "-c", str(root / "conf")])
    try:
        _wait_for(server.port, process, root / "log")
        yield server
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 20
    context = ssl._create_unverified_context()
    while time.monotonic() < until and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as plain:
                with context.wrap_socket(plain) as secure:
                    if secure.recv(4) == b"* OK":
                        return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"dovecot does not answer: {log.read_text() if log.exists() else 'no log'}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _write_certificate(root: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256()))
    (root / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (root / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
