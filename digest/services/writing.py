"""Claimed rows to mails: whether each is still wanted is asked anew, then it is written and signed. Sends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from digest.alert_rules import MAIL
from digest.errors import DeliveryError
from digest.model import Delivery
from digest.notify.targets import shown
from digest.ports import Clock, Envelope, Parcel
from digest.services import bounces, leaving
from digest.services.envelopes import Envelopes
from digest.storage.engine import read_only


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed row, looked at at `at`: why it is not sent, or on what ground it is, and then its mail."""

    delivery: Delivery
    at: datetime
    refused: str = ""
    standing: leaving.Standing | None = None
    mail: Envelope | Parcel | Exception | None = None  # None: not written; an exception: what writing it raised

    def envelope(self) -> Envelope | Parcel:
        """The mail, or raises what writing it raised."""
        if isinstance(self.mail, Envelope | Parcel):
            return self.mail
        raise self.mail or LookupError("a mail that is not sent was not written")


class Writer:
    """Writes the mails of one run. For threads beside the event loop's: a signature lets the others run meanwhile."""

    def __init__(self, engine: Engine, clock: Clock, envelopes: Envelopes):
        self._engine, self._clock, self._envelopes = engine, clock, envelopes

    def looked_up(self, rows: Sequence[Delivery]) -> list[Job]:
        """Whether each mail is sent, asked for all rows at once, 500 at most. None is written yet."""
        now = self._clock.now()
        mails = [(row.unsubscribe, row.subject, row.message.headers.get("Content-Language", "en")) for row in rows]
        with read_only(self._engine) as conn:
            standings = leaving.standings(conn, mails)
            suppressed = bounces.suppressed_among(conn, [row.target for row in rows])
        return [_job(row, standing, suppressed.get(row.target), now)
                for row, standing in zip(rows, standings, strict=True)]

    def written(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs with their mails, where they have any."""
        return [job if job.standing is None else
                Job(job.delivery, job.at, standing=job.standing, mail=self._mail(job, job.standing)) for job in jobs]

    def anew(self, row: Delivery) -> Job:
        """A row that waited long: whether it is still sent, and its mail of now."""
        [job] = self.written(self.looked_up([row]))
        return job

    def _mail(self, job: Job, standing: leaving.Standing) -> Envelope | Parcel | Exception:
        if job.delivery.channel != MAIL:
            return _parcel(job.delivery)
        try:
            return self._envelopes.write(job.delivery, standing, job.at)
        except ValueError as error:
            return DeliveryError(job.delivery.target, f"cannot be written as a mail: {error}", permanent=True)
        except Exception as error:
            return error


def _parcel(delivery: Delivery) -> Parcel:
    return Parcel(delivery.channel, delivery.target, shown(delivery.channel, delivery.target),
                  delivery.message_id.partition("@")[0], delivery.message.subject, delivery.message.text)


def _job(row: Delivery, standing: leaving.Standing | None, suppressed: str | None, now: datetime) -> Job:
    if standing is None:
        return Job(row, now, "the reader left before it was sent")
    if suppressed is not None:
        return Job(row, now, f"the address is suppressed ({suppressed})")
    return Job(row, now, standing=standing)
