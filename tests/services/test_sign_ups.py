"""Signing up with double opt-in."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from digest.errors import AddressRefused, TokenError
from digest.pipeline.render import Renderer
from digest.resources import template_texts
from digest.services import leaving, sign_ups, subscribers
from tests.services.readers import (
    HOUR,
    NEWSLETTER,
    NOW,
    SETTINGS,
    SIGNER,
    confirm,
    notices,
    sign_up,
    states,
    token_of,
    with_newsletters,
)

DAY = timedelta(days=1)


@pytest.fixture
def engine(sqlite_engine: Engine) -> Engine:
    return with_newsletters(sqlite_engine)


def test_signing_up_waits_for_the_reader_to_confirm(engine: Engine) -> None:
    assert sign_up(engine)
    assert states(engine) == {"kazakhstan": "pending"}
    [notice] = notices(engine)
    assert notice.target == "reader@example.org"
    assert "Main Street 1, Almaty" in notice.message.text and "Main Street 1, Almaty" in notice.message.html
    for mark in ("%%unsubscribe%%", "%%reason%%"):
        assert mark in notice.message.text and mark in notice.message.html
    confirm(engine, token_of(notice))
    confirm(engine, token_of(notice))  # twice is once
    assert states(engine) == {"kazakhstan": "active"}


def test_one_confirmation_an_hour_and_none_for_a_reader(engine: Engine) -> None:
    assert sign_up(engine)
    assert not sign_up(engine, "READER@example.org", NOW + HOUR / 2)
    assert sign_up(engine, now=NOW + HOUR)
    first, second = notices(engine)
    confirm(engine, token_of(second))
    assert not sign_up(engine, now=NOW + 3 * HOUR)
    confirm(engine, token_of(first))


def test_an_old_link_does_not_bring_back_who_left(engine: Engine) -> None:
    sign_up(engine)
    [notice] = notices(engine)
    confirm(engine, token_of(notice))
    with engine.begin() as conn:
        leaving.leave(conn, notice.unsubscribe, NOW + HOUR)
    with pytest.raises(TokenError, match="used already"):
        confirm(engine, token_of(notice), NOW + HOUR)
    assert states(engine) == {"kazakhstan": "left"}
    assert sign_up(engine, now=NOW + 2 * HOUR)
    confirm(engine, token_of(notices(engine)[-1]), NOW + 2 * HOUR)
    assert states(engine) == {"kazakhstan": "active"}


def test_a_link_ends_after_a_week_and_is_good_for_nothing_else(engine: Engine) -> None:
    sign_up(engine)
    token = token_of(notices(engine)[0])
    with pytest.raises(TokenError, match="expired"):
        confirm(engine, token, NOW + timedelta(days=7, seconds=1))
    with pytest.raises(TokenError, match="not valid"):
        SIGNER.read("unsubscribe", token, NOW)
    with pytest.raises(TokenError, match="not valid"):
        confirm(engine, SIGNER.sign("unsubscribe", "subscription:1"))


def test_a_confirmation_speaks_the_newsletters_language(engine: Engine) -> None:
    russian = NEWSLETTER.model_copy(update={"language": "ru"})
    with engine.begin() as conn:
        sign_ups.sign_up(conn, russian, "reader@example.org", settings=SETTINGS, signer=SIGNER,
                            renderer=Renderer(template_texts(None)), now=NOW)
    [notice] = notices(engine)
    assert notice.message.subject == "Подтвердите подписку: Kazakhstan News"
    assert notice.message.headers["Content-Language"] == "ru"
    assert "Ссылка действует 7 дней." in notice.message.text and '<html lang="ru"' in notice.message.html
    with engine.begin() as conn:
        standing = leaving.standing(conn, notice.unsubscribe, subject=notice.subject, language="ru")
    assert standing is not None and "на странице подписки «Kazakhstan News»" in standing.reason


def test_one_mailbox_gets_so_many_mails_a_day_whatever_is_asked(engine: Engine) -> None:
    asked = [sign_up(engine, f"reader+{n}@example.org") for n in range(SETTINGS.sign_up.mails_per_address + 2)]
    assert asked.count(True) == SETTINGS.sign_up.mails_per_address
    assert asked[-2:] == [False, False]
    assert not sign_up(engine, now=NOW + 23 * HOUR)
    assert sign_up(engine, now=NOW + 24 * HOUR)


def test_a_throw_away_address_cannot_sign_up(engine: Engine) -> None:
    with pytest.raises(AddressRefused, match="throw-away"):
        sign_up(engine, "reader@mailinator.com")
    assert notices(engine) == []


def test_an_international_address_is_asked_in_its_own_letters(engine: Engine) -> None:
    assert sign_up(engine, "Анна@пример.рф")
    [notice] = notices(engine)
    assert notice.target == "анна@xn--e1afmkfd.xn--p1ai"
    confirm(engine, token_of(notice))
    with engine.begin() as conn:
        [reader] = subscribers.active_subscriptions(conn, "kazakhstan")
    assert reader.subscriber.email == notice.target


def test_who_never_confirms_is_forgotten_after_a_month(engine: Engine) -> None:
    sign_up(engine, "stranger@example.org")
    sign_up(engine, "slow@example.org")
    sign_up(engine, "reader@example.org")
    confirm(engine, token_of(notices(engine)[-1]))
    sign_up(engine, "slow@example.org", NOW + 20 * DAY)
    with engine.begin() as conn:
        assert sign_ups.forget_unconfirmed(conn, NOW + 30 * DAY) == 0
    sign_up(engine, "other@example.org", NOW + 31 * DAY)
    with engine.begin() as conn:
        left = {s.subscriber.email: s.state for s in subscribers.subscriptions_to(conn, "kazakhstan")}
        assert left == {"reader@example.org": "active", "slow@example.org": "pending", "other@example.org": "pending"}
        assert sign_ups.forget_unconfirmed(conn, NOW + 31 * DAY) == 0
    confirm(engine, token_of(notices(engine)[-2]), NOW + 26 * DAY)
    assert states(engine) == {"kazakhstan": "active"}
