"""What a delivery becomes: its return path, its list, its signatures, its links."""

import email
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.policy import default

import pytest

from digest.mail.dkim import new_key
from digest.mail.verp import read_return_path
from digest.model import Delivery, Message
from digest.pipeline.render import Renderer
from digest.resources import template_texts
from digest.services import leaving
from digest.services.envelopes import Envelopes, draft
from digest.settings import MailSettings, Settings, SiteSettings
from digest.tokens import Signer
from tests.mail.dkimpy import dkim
from tests.pipeline import views

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
SIGNER = Signer(b"k" * 32)
SITE = SiteSettings(url="https://digest.example.org")
SETTINGS = Settings(site=SITE)
MESSAGE = Message("Kazakhstan News", "<p>%%reason%% <a href='%%unsubscribe%%'>leave</a></p>",
                  "%%reason%%\n%%unsubscribe%%", {"Content-Language": "en"})
READER = leaving.Standing("You signed up.", "kazakhstan", "Kazakhstan News")
EDITION = "edition:kazakhstan/2023-03-20"


def delivery(target: str = "reader@example.org", subject: str = EDITION, mark: str = "subscription:7") -> Delivery:
    return draft(MESSAGE, target=target, settings=SETTINGS, now=NOW, subject=subject, unsubscribe=mark)


def parsed(data: bytes) -> email.message.EmailMessage:
    mail = email.message_from_bytes(data, policy=default)
    assert isinstance(mail, email.message.EmailMessage)
    return mail


def test_bounces_come_back_to_an_address_that_names_the_mail() -> None:
    settings = Settings(site=SITE, mail=MailSettings(bounce_domain="bounce.example.org", bounce_user="back"))
    envelope = Envelopes(settings, SIGNER).write(delivery(), READER, NOW)
    assert re.fullmatch(r"back\+[a-z2-7]{40}@bounce\.example\.org", envelope.sender)
    assert read_return_path(envelope.sender, SIGNER.secret) == envelope.message_id.partition("@")[0]


def test_without_a_bounce_domain_they_come_to_the_sender() -> None:
    assert Envelopes(SETTINGS, SIGNER).write(delivery(), READER, NOW).sender == "news@digest.example.org"


@pytest.mark.parametrize(("subject", "standing", "feedback", "fields"), [
    (EDITION, READER, "2023-03-20:kazakhstan:edition:digestexampleor",
     {"List-Id", "List-Help", "List-Owner", "List-Archive", "List-Subscribe"}),
    ("edition:kazakhstan/2023-03-20/weekly", READER, "2023-03-20-weekly:kazakhstan:edition:digestexampleor", None),
    ("bundle:4711", leaving.Standing("An alert.", "alerts"), "bundle:alerts:bundle:digestexampleor",
     {"List-Id", "List-Help", "List-Owner"}),
    ("notice:confirm:4711:2023032002", leaving.Standing("Somebody."), "confirm:none:notice:digestexampleor", set()),
])
def test_it_says_which_list_it_is_of_and_nothing_of_its_reader(
    subject: str, standing: leaving.Standing, feedback: str, fields: set[str] | None
) -> None:
    mail = parsed(Envelopes(SETTINGS, SIGNER).write(delivery(subject=subject), standing, NOW).data)
    assert mail["Feedback-ID"] == feedback
    if fields is not None:
        said = {name for name in mail.keys() if name.startswith("List-")}
        assert said - {"List-Unsubscribe", "List-Unsubscribe-Post"} == fields


def test_all_mails_of_a_run_are_signed_by_the_domain_of_their_from() -> None:
    keys = [new_key("rd1", "rsa"), new_key("rd2", "ed25519")]
    envelopes = Envelopes(SETTINGS, SIGNER, keys)
    records = {f"{key.selector}._domainkey.digest.example.org.".encode(): key.record().encode() for key in keys}
    for number in range(3):
        mail = delivery(f"reader{number}@example.org", mark=f"subscription:{number}")
        signed = dkim.DKIM(envelopes.write(mail, READER, NOW).data)
        assert all(signed.verify(which, dnsfunc=lambda name, timeout=5: records.get(name)) for which in (0, 1))


def test_one_writer_gives_each_reader_what_a_fresh_one_would() -> None:
    writer = Envelopes(SETTINGS, SIGNER)
    for number in (1, 22, 333, 1):
        mail = delivery(f"r{number}@example.org", mark=f"subscription:{number}")
        for standing in (READER, replace(READER, reason="You were added.")):
            assert writer.write(mail, standing, NOW) == Envelopes(SETTINGS, SIGNER).write(mail, standing, NOW)


@pytest.mark.parametrize(("target", "written"), [
    ("reader@почта.рф", "reader@xn--80a1acny.xn--p1ai"), ("иван@почта.рф", "иван@xn--80a1acny.xn--p1ai")])
def test_a_domain_outside_ascii_is_written_in_ascii(target: str, written: str) -> None:
    envelope = Envelopes(SETTINGS, SIGNER).write(delivery(target), READER, NOW)
    assert envelope.recipient == written
    assert f"\r\nTo: {written}\r\n".encode() in envelope.data


def test_who_passes_an_edition_on_gives_away_no_more_than_the_personal_page() -> None:
    message = Renderer(template_texts(None), base=SITE.url).message(views.EDITION)
    mail = parsed(Envelopes(SETTINGS, SIGNER).write(replace(delivery(), message=message), READER, NOW).data)
    token = str(mail["List-Unsubscribe"]).partition("/u/")[2].partition(">")[0]
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        links = set(re.findall(r"https?://[^\s\"<>]+", str(body.get_content())))
        assert any(link.endswith("/sign-up/kazakhstan") for link in links)
        assert {link.partition("#")[0] for link in links if token in link} == {f"https://digest.example.org/u/{token}"}


def test_every_personal_link_is_signed_and_opens_the_page_of_its_reader() -> None:
    mail = parsed(Envelopes(SETTINGS, SIGNER).write(delivery(), READER, NOW).data)
    body = mail.get_body(("plain",))
    assert body is not None
    text = f"{mail['List-Unsubscribe']} {body.get_content()}"
    tokens = set(re.findall(r"https://digest\.example\.org/u/([\w.-]+)", text))
    assert {SIGNER.read("unsubscribe", token, NOW) for token in tokens} == {"subscription:7"}
