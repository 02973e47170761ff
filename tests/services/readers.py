"""A world of readers: a database with two newsletters, who signs up, what was queued for them."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, insert

from digest.documents import Newsletter
from digest.model import Delivery, DeliveryState
from digest.pipeline.render import Renderer
from digest.resources import template_texts
from digest.services import sign_ups, subscribers
from digest.settings import Settings, SiteSettings
from digest.storage import deliveries as ledger
from digest.storage.schema import newsletters
from digest.tokens import Signer

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NEWSLETTER = Newsletter(slug="kazakhstan", name="Kazakhstan News", region="Kazakhstan", regions=("Kazakhstan",))
SETTINGS = Settings(site=SiteSettings(url="https://digest.example.org", postal_address="Main Street 1, Almaty"))
SIGNER = Signer(b"k" * 32)


def with_newsletters(engine: Engine) -> Engine:
    """The database with two newsletters."""
    with engine.begin() as conn:
        for slug, name in [("kazakhstan", "Kazakhstan News"), ("kyrgyzstan", "Kyrgyzstan News")]:
            conn.execute(insert(newsletters).values(slug=slug, name=name))
    return engine


def sign_up(engine: Engine, email: str = "reader@example.org", now: datetime = NOW) -> bool:
    with engine.begin() as conn:
        return sign_ups.sign_up(conn, NEWSLETTER, email, settings=SETTINGS, signer=SIGNER,
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
        subscription = sign_ups.read_confirmation(conn, "kazakhstan", token, SIGNER, now)
        sign_ups.confirm(conn, subscription.id, now)


def states(engine: Engine) -> dict[str, str]:
    with engine.begin() as conn:
        reader = subscribers.ensure(conn, "reader@example.org", "operator", NOW)
        return {s.newsletter: s.state for s in subscribers.subscriptions_of(conn, reader)}
