"""Corrections on both databases: on the page of what was released, and by mail to those who got it."""

import re

import pytest
from sqlalchemy import Engine

from digest.errors import ActionRefused, EditionClosed
from digest.model import Delivery, Preferences
from digest.services import corrections, editions, leaving
from digest.storage import claims
from digest.storage import deliveries as ledger
from digest.storage.engine import read_only
from digest.storage.subscribers import set_preferences, set_state
from tests.services.desks import HOUR, NOW, RELEASE, SETTINGS, STRIKE, TEMPLATES, Newsroom, open_newsroom

TEXT = "The strike began on Sunday,\nnot on Monday."


@pytest.fixture
def room(engine: Engine) -> Newsroom:
    return open_newsroom(engine)


def correct(room: Newsroom, **changes: object) -> corrections.Corrected:
    renderer = editions.renderer_of(TEMPLATES, SETTINGS)
    values = {"text": TEXT, "story": None, "mail": False, "actor": "anna", "now": NOW, **changes}
    return corrections.correct(room.engine, room.edition(), room.news, SETTINGS, renderer, **values)  # type: ignore[arg-type]


def mails(room: Newsroom, subject: str) -> list[Delivery]:
    with read_only(room.engine) as conn:
        return ledger.deliveries_of(conn, subject)


def test_a_correction_is_dated_and_leaves_the_edition_as_it_was(room: Newsroom) -> None:
    room.release()
    before = room.edition()
    lead = before.view.lead
    assert lead is not None
    correct(room, story=lead.id[:6])
    correct(room, text="And again.")
    with read_only(room.engine) as conn:
        first, second = corrections.corrections_of(conn, before)
    assert (first.at, first.text) == ("2023-03-20T08:00:00+06:00", "The strike began on Sunday, not on Monday.")
    assert first.story == lead and second.story is None
    assert room.edition() == before
    page = editions.renderer_of(TEMPLATES, SETTINGS).page(before.view, corrections=(first, second))
    assert "08:00 UTC+6" in page and "not on Monday." in page and f'href="/stories/{lead.id}"' in page


def test_it_is_mailed_to_those_whom_the_edition_reached(room: Newsroom) -> None:
    room.release()
    with room.engine.begin() as conn:
        (row,) = claims.claim(conn, now=RELEASE, holder="a", until=RELEASE + HOUR, limit=1, domain="digest.example.org")
        claims.mark_failed(conn, row.id, "a", "550 no such reader")
    corrected = correct(room, mail=True, story=room.edition().view.all_stories[0].id)
    assert corrected.subject == f"notice:correction:{corrected.correction.id}" and corrected.queued == 1
    (mail,) = mails(room, corrected.subject)
    assert mail.target != row.target and mail.view_sha256 is None
    assert mail.message.subject == "Correction: Kazakhstan News"
    for text in (mail.message.html, mail.message.text):
        assert "%%unsubscribe%%" in text and "not on Monday." in text and STRIKE in text
    assert "https://digest.example.org/kazakhstan/2023-03-20/" in mail.message.text


def test_it_comes_in_the_form_and_language_of_the_readers_edition(room: Newsroom) -> None:
    with room.engine.begin() as conn:
        set_preferences(conn, 1, Preferences(format="text"), ())
        set_preferences(conn, 2, Preferences(language="ru"), ())
    room.release()
    corrected = correct(room, mail=True)
    text, russian = mails(room, corrected.subject)
    assert (corrected.queued, text.message.html) == (2, "") and "not on Monday." in text.message.text
    assert '<html lang="ru"' in russian.message.html and re.search(r'<p [^>]*lang="en"[^>]*>The', russian.message.html)
    assert correct(room, text="Nor on Tuesday.", mail=True).queued == 2


def test_who_left_since_gets_no_correction(room: Newsroom) -> None:
    room.release()
    corrected = correct(room, mail=True)
    one, other = mails(room, corrected.subject)
    with room.engine.begin() as conn:
        set_state(conn, leaving.split(one.unsubscribe)[1], "left", NOW)
    with read_only(room.engine) as conn:
        assert leaving.standing(conn, one.unsubscribe, subject=one.subject) is None
        assert leaving.standing(conn, other.unsubscribe, subject=other.subject) is not None


def test_only_what_was_released_is_corrected(room: Newsroom) -> None:
    room.draft()
    with pytest.raises(EditionClosed, match="is draft"):
        correct(room)
    room.release()
    for changes in ({"text": " "}, {"story": "ffff"}):
        with pytest.raises(ActionRefused):
            correct(room, **changes)
