"""A process that sends what is due until nothing is: `send_process.py DATABASE_URL SMTP_PORT MINUTES_AHEAD`.

Its clock runs MINUTES_AHEAD of the wall clock, so that leases of killed processes have ended. SIGTERM stops it.
"""

import asyncio
import signal
import sys
from datetime import UTC, datetime, timedelta

from digest.mail.pool import SmtpMailer
from digest.services.deliveries import SendReport, send_due
from digest.settings import Settings, SmtpSettings
from digest.storage.engine import open_engine
from digest.tokens import Signer


class ClockAhead:
    def __init__(self, minutes: int):
        self._ahead = timedelta(minutes=minutes)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


async def run(url: str, port: int, minutes_ahead: int) -> SendReport | None:
    engine = open_engine(url)
    settings = Settings(smtp=SmtpSettings(host="127.0.0.1", port=port, tls="none", timeout_seconds=10))
    mailer = SmtpMailer(settings.smtp)
    task = asyncio.create_task(send_due(
        engine, mailer, ClockAhead(minutes_ahead), settings=settings, signer=Signer(b"k" * 32),
        holder=f"process-{minutes_ahead}"))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return None
    finally:
        await mailer.close()
        engine.dispose()


if __name__ == "__main__":
    print(asyncio.run(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
