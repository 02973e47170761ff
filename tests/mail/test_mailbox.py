"""The mailbox, against a real Dovecot."""

from collections.abc import Iterator

import pytest

from digest.errors import MailboxError
from digest.mail.mailbox import open_mailbox
from digest.settings import ImapSettings
from tests.mail.imap_server import DOVECOT, ImapServer, imap_server


@pytest.fixture(scope="module")
def running() -> Iterator[ImapServer]:
    if DOVECOT is None:
        pytest.skip("no Dovecot: tools/need.sh dovecot")
    with imap_server() as server:
        yield server


@pytest.fixture
def server(running: ImapServer) -> ImapServer:
    """The server with an empty INBOX."""
    for path in (running.root / "mail").glob("[nc]*/*"):
        path.unlink()
    return running


def settings(server: ImapServer, **changes: object) -> ImapSettings:
    return ImapSettings.model_validate({
        "host": "localhost", "port": server.port, "username": "bounces", "password": "secret",
        "tls_ca_file": str(server.certificate), **changes})


def mail(subject: str) -> bytes:
    return f"From: a@x.example\nSubject: {subject}\n\nbody of {subject}\n".encode()


def test_mails_are_read_once_in_order_and_stay_as_they_are(server: ImapServer) -> None:
    server.deliver(mail("one"))
    server.deliver(mail("two"))
    with open_mailbox(settings(server)) as mailbox:
        epoch = mailbox.epoch
        letters = list(mailbox.after(0))
    assert [letter.raw.replace(b"\r\n", b"\n") for letter in letters] == [mail("one"), mail("two")]
    server.deliver(mail("three"))
    with open_mailbox(settings(server)) as mailbox:
        assert mailbox.epoch == epoch > 0
        later = list(mailbox.after(letters[-1].uid))
        assert [b"body of three" in letter.raw for letter in later] == [True]
        assert list(mailbox.after(later[-1].uid)) == []  # though "n:*" names the last mail in any case
    assert server.mails() == {"one": True, "two": True, "three": True}


def test_one_mail_is_deleted_and_what_others_marked_is_not(server: ImapServer) -> None:
    for name in ("marked by another", "ours", "rest"):
        server.deliver(mail(name))
    with open_mailbox(settings(server, delete=True)) as mailbox:
        first, second, _ = mailbox.after(0)
        mailbox._session.uid("STORE", str(first.uid), "+FLAGS", r"(\Deleted)")
        mailbox.delete(second.uid)
    assert set(server.mails()) == {"marked by another", "rest"}


def test_starttls_works_too(server: ImapServer) -> None:
    server.deliver(mail("one"))
    with open_mailbox(settings(server, tls="starttls", port=server.plain_port)) as mailbox:
        assert len(list(mailbox.after(0))) == 1


@pytest.mark.parametrize(("changes", "message"), [
    ({"password": "wrong"}, "AUTHENTICATIONFAILED"),
    ({"folder": "No such"}, "cannot be opened"),
    ({"folder": 'Quote " and \\ back'}, "cannot be opened"),
    ({"tls_ca_file": ""}, "CERTIFICATE_VERIFY_FAILED"),
    ({"host": "127.0.0.1"}, "IP address mismatch"),  # the certificate is of another name
    ({"port": 1}, "refused"),
    ({"tls_ca_file": "/no/such/file"}, "No such file"),
])
def test_what_fails_is_said(server: ImapServer, changes: dict[str, object], message: str) -> None:
    with pytest.raises(MailboxError, match=message), open_mailbox(settings(server, **changes)):
        pass
