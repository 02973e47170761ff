"""How many mails went when, by scope: an SMTP server or a domain of recipients."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, select

from digest.storage.schema import send_rates
from digest.storage.upsert import insert_ignore, upsert


def read_rates(conn: Connection, scopes: Collection[str], now: datetime) -> dict[str, str]:
    """The records of these scopes, "" where there is none; no other process changes them before this transaction ends.

    SQLite: the transaction has the write lock already. PostgreSQL: the rows are locked, in one order.
    """
    insert_ignore(conn, send_rates, [{"scope": scope, "record": "", "changed_at": now} for scope in sorted(scopes)])
    rows = conn.execute(select(send_rates.c.scope, send_rates.c.record).where(send_rates.c.scope.in_(scopes))
                        .order_by(send_rates.c.scope).with_for_update())
    return {scope: record for scope, record in rows}


def write_rates(conn: Connection, records: Mapping[str, str], now: datetime) -> None:
    """Replaces the records of these scopes."""
    upsert(conn, send_rates, [{"scope": scope, "record": record, "changed_at": now}
                              for scope, record in sorted(records.items())])


def forget_rates(conn: Connection, before: datetime) -> None:
    """Deletes records that were last changed before an instant."""
    conn.execute(delete(send_rates).where(send_rates.c.changed_at < before))
