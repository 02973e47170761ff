"""Adding, signing up, confirming and leaving."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert

from digest.documents import Newsletter
from digest.errors import AddressRefused, NotFound, TokenError
from digest.model import Delivery, DeliveryState
from digest.pipeline.render import Renderer
from digest.resources import template_texts
from digest.services import leaving, subscribers
from digest.settings import Settings, SiteSettings
from digest.storage import alerts
from digest.storage import deliveries as ledger
from digest.storage.schema import newsletters
from digest.tokens import Signer

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NEWSLETTER = Newsletter(slug="kazakhstan", name="Kazakhstan News", region="Kazakhstan", regions=("Kazakhstan",))
SETTINGS = Settings(site=SiteSettings(url="https://digest.example.org", postal_address="Main Street 1, Almaty"))
SIGNER = Signer(b"k" * 32)


@pytest.fixture
def engine(sqlite_engine: Engine) -> Engine:
    """A database with two newsletters."""
    with sqlite_engine.begin() as conn:
        for slug, name in [("kazakhstan", "Kazakhstan News"), ("kyrgyzstan", "Kyrgyzstan News")]:
            conn.execute(insert(newsletters).values(slug=slug, name=name))
    return sqlite_engine


def sign_up(engine: Engine, email: str = "reader@example.org", now: datetime = NOW) -> bool:
    with engine.begin() as conn:
        return subscribers.sign_up(conn, NEWSLETTER, email, settings=SETTINGS, signer=SIGNER,
                                   renderer=Renderer(template_texts(None)), now=now)


def notices(engine: Engine) -> list[Delivery]:
    with engine.begin() as conn:
        return [d for d in ledger.deliveries_in(conn, DeliveryState.QUEUED) if d.subject.startswith("notice:confirm:")]


def token_of(delivery: Delivery) -> str:
    [link] = [line for line in delivery.message.text.splitlines() if "/sign-up/kazakhstan/" in line]
    assert f'href="{link}"' in delivery.message.html
    return link.rpartition("/")[2]


def confirm(engine: Engine, token: str, now: datetime = NOW) -> None:
    with engine.begin() as conn:
        subscription = subscribers.read_confirmation(conn, "kazakhstan", token, SIGNER, now)
        subscribers.confirm(conn, subscription.id, now)


def states(engine: Engine) -> dict[str, str]:
    with engine.begin() as conn:
        reader = subscribers.ensure(conn, "reader@example.org", "operator", NOW)
        return {s.newsletter: s.state for s in subscribers.subscriptions_of(conn, reader)}


@pytest.mark.parametrize(("typed", "stored"), [
    (" Reader@Example.ORG ", "reader@example.org"),
    ("reader@пример.рф", "reader@xn--e1afmkfd.xn--p1ai"),
    ("reader@digest.test", "reader@digest.test"),
    ("reader@demo.example", "reader@demo.example"),
    ("a.b+tag@example.org", "a.b+tag@example.org"),
])
def test_addresses_have_one_normal_form(typed: str, stored: str) -> None:
    assert subscribers.normalise_address(typed) == stored
    assert subscribers.normalise_address(stored) == stored


@pytest.mark.parametrize("typed", [
    "", "reader", "reader@", "@example.org", "reader@localhost", "a b@example.org", "a@b@example.org",
    "reader@example.org\nBcc: x@example.org", "анна@example.org", "x" * 70 + "@example.org", "a" * 10000])
def test_bad_addresses_are_refused_with_a_reason(typed: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        subscribers.normalise_address(typed)
    assert caught.value.reason
    assert len(str(caught.value)) < 400


def test_a_subscriber_is_ensured_once(engine: Engine) -> None:
    with engine.begin() as conn:
        first = subscribers.ensure(conn, "Reader@example.org", "operator", NOW)
        assert subscribers.ensure(conn, "reader@example.org", "demo", NOW + HOUR) == first


def test_who_left_is_not_added_again_silently(engine: Engine) -> None:
    with engine.begin() as conn:
        added = subscribers.subscribe(conn, "kazakhstan", "reader@example.org", "operator", NOW)
        assert added.changed and added.subscription.state == "active"
        assert not subscribers.subscribe(conn, "kazakhstan", "reader@example.org", "operator", NOW).changed
        assert subscribers.leave(conn, added.subscription.id, NOW).state == "left"
        back = subscribers.subscribe(conn, "kazakhstan", "reader@example.org", "operator", NOW)
        assert not back.changed and back.subscription.state == "left"
        assert subscribers.active_subscriptions(conn, "kazakhstan") == []
        again = subscribers.subscribe(conn, "kazakhstan", "reader@example.org", "operator", NOW, again=True)
        assert again.changed and again.subscription.state == "active"
        assert [s.subscriber.email for s in subscribers.active_subscriptions(conn, "kazakhstan")] == [
            "reader@example.org"]


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


def test_leaving_one_says_what_stays(engine: Engine) -> None:
    with engine.begin() as conn:
        kazakhstan = subscribers.subscribe(conn, "kazakhstan", "reader@example.org", "operator", NOW).subscription
        subscribers.subscribe(conn, "kyrgyzstan", "reader@example.org", "operator", NOW)
        alerts.insert_rule(conn, "gas", kazakhstan.subscriber.id, "gas", NOW)
        mark = leaving.subscription_mark(kazakhstan.id)
        planned = leaving.describe(conn, mark)
        assert (planned.what, planned.over) == ("Kazakhstan News", False)
        assert planned.rest == ("Kyrgyzstan News", "the alert “gas”")
        leaving.leave(conn, mark, NOW)
        assert leaving.describe(conn, mark).over
        assert leaving.leave(conn, mark, NOW).what == "Kazakhstan News"
        assert leaving.standing(conn, mark, subject="edition:x") is None


def test_one_alert_or_all_of_an_owner_can_be_left(engine: Engine) -> None:
    with engine.begin() as conn:
        owner = subscribers.ensure(conn, "analyst@example.org", "operator", NOW)
        for name in ("gas", "oil", "water"):
            alerts.insert_rule(conn, name, owner.id, name, NOW)
        gas = alerts.rule_by_name(conn, "gas")
        assert gas is not None
        standing = leaving.standing(conn, f"alert:{gas.id}", subject="bundle:1")
        assert standing is not None and "“gas”" in standing.reason
        assert leaving.leave(conn, f"alert:{gas.id}", NOW).what == "the alert “gas”"
        assert leaving.standing(conn, f"alert:{gas.id}", subject="bundle:1") is None
        assert leaving.leave(conn, f"alerts:{owner.id}", NOW).what == "the alerts “oil”, “water”"
        assert leaving.leave(conn, f"alerts:{owner.id}", NOW).over
        assert alerts.rules_of(conn, owner.id) == []


@pytest.mark.parametrize("mark", ["", "x", "subscription:", "subscription:x", "subscription:99", "alert:7",
                                  "alert:" + "9" * 40, "subscription:-1"])
def test_a_mark_of_nothing_is_not_found(engine: Engine, mark: str) -> None:
    with engine.begin() as conn:
        with pytest.raises(NotFound):
            leaving.leave(conn, mark, NOW)
        assert leaving.standing(conn, mark, subject="edition:x") is None


def test_removing_an_address_ends_all_its_subscriptions(engine: Engine) -> None:
    with engine.begin() as conn:
        for slug in ("kazakhstan", "kyrgyzstan"):
            subscribers.subscribe(conn, slug, "reader@example.org", "operator", NOW)
        assert len(subscribers.remove(conn, "reader@example.org", NOW)) == 2
        assert subscribers.remove(conn, "reader@example.org", NOW) == []
        with pytest.raises(NotFound):
            subscribers.remove(conn, "nobody@example.org", NOW)


def test_a_confirmation_speaks_the_newsletters_language(engine: Engine) -> None:
    russian = NEWSLETTER.model_copy(update={"language": "ru"})
    with engine.begin() as conn:
        subscribers.sign_up(conn, russian, "reader@example.org", settings=SETTINGS, signer=SIGNER,
                            renderer=Renderer(template_texts(None)), now=NOW)
    [notice] = notices(engine)
    assert notice.message.subject == "Подтвердите подписку: Kazakhstan News"
    assert notice.message.headers["Content-Language"] == "ru"
    assert "Ссылка действует 7 дней." in notice.message.text and '<html lang="ru"' in notice.message.html
    with engine.begin() as conn:
        standing = leaving.standing(conn, notice.unsubscribe, subject=notice.subject, language="ru")
    assert standing is not None and "на странице подписки «Kazakhstan News»" in standing.reason


@pytest.mark.parametrize(("language", "what"), [
    ("en", "the alert “gas”"), ("ru", "оповещение «gas»"), ("kk", "«gas» хабарламасы"), ("uz", "“gas” xabarnomasi"),
])
def test_alerts_are_named_in_each_language(engine: Engine, language: str, what: str) -> None:
    with engine.begin() as conn:
        owner = subscribers.ensure(conn, "reader@example.org", "operator", NOW)
        alerts.insert_rule(conn, "gas", owner.id, "gas", NOW)
        rule = alerts.rule_by_name(conn, "gas")
        assert rule is not None
        assert leaving.describe(conn, f"alert:{rule.id}", language).what == what
