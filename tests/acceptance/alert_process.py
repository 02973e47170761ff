"""A process that fires alerts and sends what is due: `alert_process.py DATABASE_URL SMTP_PORT MINUTES_AHEAD`.

Its clock runs MINUTES_AHEAD of the wall clock, so that leases of killed processes have ended.
"""

import asyncio
import sys

from digest.alert_rules import WEBHOOK
from digest.documents import Configuration, Gazetteer
from digest.mail.pool import SmtpMailer
from digest.notify.channels import Channels
from digest.notify.webhook import Webhooks, secret_in_words
from digest.services.alerts import Context, fire
from digest.services.deliveries import send_due
from digest.settings import Settings, SmtpSettings
from digest.storage.engine import open_engine
from digest.tokens import Signer
from tests.acceptance.send_process import ClockAhead


async def run(url: str, port: int, minutes_ahead: int) -> None:
    engine, clock = open_engine(url), ClockAhead(minutes_ahead)
    settings = Settings(smtp=SmtpSettings(host="127.0.0.1", port=port, tls="none", timeout_seconds=10))
    mailer = SmtpMailer(settings.smtp)
    webhooks = Webhooks(("127.0.0.1",), clock, lambda _: secret_in_words(b"s" * 32), "Digest/1")
    try:
        await asyncio.to_thread(fire, engine, Context(settings, Configuration({}, {}, (), Gazetteer({}))), clock.now())
        await send_due(engine, mailer, clock, settings=settings, signer=Signer(b"k" * 32),
                       holder=f"process-{minutes_ahead}", notifier=Channels({WEBHOOK: webhooks}))
    finally:
        await mailer.close()
        await webhooks.close()
        engine.dispose()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
