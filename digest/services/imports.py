"""Subscribers from and to CSV files. Every row of an import gets an outcome, and none stops the rest.

An import says where the consent of its readers comes from. Who left stays away; who is on the suppression list is not
taken; a row that says somebody left ends what they get here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import islice

from sqlalchemy import Connection, Engine

from digest.documents import Configuration
from digest.errors import AddressRefused, PreferenceRefused
from digest.model import Preferences
from digest.pipeline.subscriber_rows import Row
from digest.services import preferences
from digest.services.addresses import address_for_sign_up
from digest.services.preferences import Choices, Wanted
from digest.settings import SignUpSettings
from digest.storage import bounces
from digest.storage import subscriber_batches as storage
from digest.storage.subscriber_batches import NewSubscription

BATCH = 500  # rows in one transaction
STATES = {
    "": "active", "active": "active", "subscribed": "active", "confirmed": "active", "enabled": "active",
    "left": "left", "unsubscribed": "left", "disabled": "left", "blocklisted": "left", "blacklisted": "left"}
ADDED, CAME_BACK, KNOWN, LEFT, ENDED, STAYS_AWAY, REFUSED = (
    "added", "came back", "known", "left", "ended", "stays away", "refused")
OUTCOMES = (ADDED, CAME_BACK, KNOWN, LEFT, ENDED, STAYS_AWAY, REFUSED)


@dataclass(frozen=True, slots=True)
class Plan:
    """How rows are taken. `consent` and `newsletter` are for rows that name none; `again`: who left asked to come back.
    """

    configuration: Configuration
    settings: SignUpSettings
    consent: str = ""
    newsletter: str = ""
    again: bool = False
    dry: bool = False  # everything is looked at, nothing stored


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row: one of OUTCOMES, with the reason where it was refused."""

    number: int
    email: str
    newsletter: str
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A row that can be taken."""

    number: int
    email: str
    newsletter: str
    state: str
    consent: str
    since: datetime
    wanted: Wanted


def take(engine: Engine, rows: Iterable[Row], plan: Plan, now: datetime) -> Iterator[Outcome]:
    """Imports rows and yields what became of each, in their order. Idempotent.

    Five hundred rows share a transaction, so memory stays that of one batch; what was taken before an interruption
    stays, and importing again adds what is missing.
    """
    reader = _Reader(plan, now)
    source = iter(rows)
    while batch := list(islice(source, BATCH)):
        read = [reader.candidate(row) for row in batch]
        with engine.connect() as conn, conn.begin() as transaction:
            taken = _Batch(conn, plan, now).take([found for found in read if isinstance(found, _Candidate)])
            if plan.dry:
                transaction.rollback()
        yield from (found if isinstance(found, Outcome) else taken[found.number] for found in read)


def give(conn: Connection, newsletter: str | None = None, state: str | None = None) -> Iterator[dict[str, str]]:
    """All subscriptions (to one newsletter, in one state) as rows of a file, by id; an import takes them back."""
    for page in storage.pages(conn, newsletter, state):
        for own in page:
            yield {
                "email": own.subscriber.email, "newsletter": own.newsletter, "state": own.state,
                "consent": own.subscriber.consent_source, "since": own.created_at.isoformat(),
                **preferences.in_words(own)}


class _Reader:
    """Makes candidates of rows; remembers what newsletters offer."""

    def __init__(self, plan: Plan, now: datetime):
        self._plan, self._now = plan, now
        self._choices = lru_cache(maxsize=None)(self._choices_of)

    def candidate(self, row: Row) -> _Candidate | Outcome:
        """What a row asks for, or why it is refused."""
        typed, newsletter = row.values.get("email", ""), row.values.get("newsletter") or self._plan.newsletter
        fault = row.fault or self._fault(row, newsletter)
        if fault:
            return Outcome(row.number, typed[:80], newsletter[:80], REFUSED, fault)
        try:
            email = address_for_sign_up(typed, self._plan.settings)
            since = _since(row.values.get("since", ""), self._now)
            return _Candidate(row.number, email, newsletter, STATES[row.values.get("state", "").lower()],
                              row.values.get("consent") or self._plan.consent, since, self._wanted(row, newsletter))
        except AddressRefused as error:
            return Outcome(row.number, typed[:80], newsletter, REFUSED, error.reason)
        except PreferenceRefused as error:
            return Outcome(row.number, typed[:80], newsletter, REFUSED, str(error))

    def _fault(self, row: Row, newsletter: str) -> str:
        known = self._plan.configuration.newsletters
        if newsletter not in known:
            return f"no newsletter {newsletter[:60]!r}; known: {', '.join(known)}"
        if row.values.get("state", "").lower() not in STATES:
            return f"state {row.values['state'][:60]!r} is neither active nor left"
        if not (row.values.get("consent") or self._plan.consent):
            return "says no source of consent"
        return ""

    def _wanted(self, row: Row, newsletter: str) -> Wanted:
        words = {name: row.values[name] for name in preferences.NAMES if row.values.get(name)}
        wanted = Wanted(Preferences(), ())
        return preferences.changed(wanted, words, self._choices(newsletter), self._now.date()) if words else wanted

    def _choices_of(self, slug: str) -> Choices:
        newsletter = self._plan.configuration.newsletters[slug]
        return preferences.choices(newsletter, self._plan.configuration, newsletter.language)


class _Batch:
    """Stores candidates of one transaction."""

    def __init__(self, conn: Connection, plan: Plan, now: datetime):
        self._conn, self._plan, self._now = conn, plan, now
        self._new: list[NewSubscription] = []
        self._moves: dict[int, str] = {}

    def take(self, candidates: Sequence[_Candidate]) -> dict[int, Outcome]:
        """Outcomes by the numbers of the rows."""
        if not candidates:
            return {}
        emails = list({c.email for c in candidates})
        suppressed = bounces.suppressed_of(self._conn, emails)
        wanted = [c for c in candidates if c.email not in suppressed or c.state == "left"]
        ids = storage.ensure_all(self._conn, {c.email: (c.consent, c.since) for c in reversed(wanted)})
        found = storage.states_of(self._conn, list(ids.values()))
        states = {key: state for key, (_, state) in found.items()}
        outcomes = {}
        for c in candidates:
            if c.email in suppressed and c.state == "active":
                outcomes[c.number] = Outcome(c.number, c.email, c.newsletter, REFUSED, "is on the suppression list")
                continue
            key = (ids[c.email], c.newsletter)
            outcome = self._decide(c, states.get(key))
            self._note(c, key, found.get(key), outcome)
            states[key] = "left" if outcome in {STAYS_AWAY, LEFT, ENDED} else "active"
            outcomes[c.number] = Outcome(c.number, c.email, c.newsletter, outcome)
        self._store()
        return outcomes

    def _decide(self, candidate: _Candidate, state: str | None) -> str:
        """What becomes of a row, where a subscription stands in this state already (None: there is none)."""
        if candidate.state == "left":
            return LEFT if state in {None, "left"} else ENDED
        if state is None:
            return ADDED
        if state == "left":
            return CAME_BACK if self._plan.again else STAYS_AWAY
        return KNOWN if state == "active" else ADDED

    def _note(self, candidate: _Candidate, key: tuple[int, str], found: tuple[int, str] | None, outcome: str) -> None:
        state = {ADDED: "active", CAME_BACK: "active", LEFT: "left", ENDED: "left"}.get(outcome)
        if state is not None and found:
            self._moves[found[0]] = state
        elif state is not None:
            self._new.append(NewSubscription(*key, state, candidate.since, candidate.wanted.preferences,
                                             candidate.wanted.hidden_sections))

    def _store(self) -> None:
        rows: dict[tuple[int, str], NewSubscription] = {}
        for new in self._new:  # a later row of the file may end what an earlier one began
            first = rows.setdefault((new.subscriber_id, new.newsletter), new)
            rows[new.subscriber_id, new.newsletter] = replace(first, state=new.state)
        storage.insert_all(self._conn, list(rows.values()), self._now)
        for state in ("active", "left"):
            storage.move_all(self._conn, [id_ for id_, to in self._moves.items() if to == state], state, self._now)


def _since(text: str, now: datetime) -> datetime:
    """When somebody subscribed elsewhere, in UTC; now where the row does not say. Raises PreferenceRefused."""
    if not text:
        return now
    try:
        at = datetime.fromisoformat(text) if len(text) > 10 else datetime.combine(
            date.fromisoformat(text), datetime.min.time())
    except ValueError as error:
        raise PreferenceRefused("since", text[:60], "Write it like 2030-12-31.") from error
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return min(at, now)
