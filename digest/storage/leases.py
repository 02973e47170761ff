"""Leases: who alone may do a job until when. One conditional statement, alike on both databases."""

from datetime import datetime

from sqlalchemy import Connection, delete, or_, update

from digest.storage.schema import leases
from digest.storage.upsert import insert_ignore


def take_lease(conn: Connection, name: str, holder: str, *, now: datetime, until: datetime) -> bool:
    """Whether `holder` has the lease until `until`: it was free, expired by `now`, or the holder's own already."""
    if insert_ignore(conn, leases, [{"name": name, "holder": holder, "until": until}]):
        return True
    free = or_(leases.c.until <= now, leases.c.holder == holder)
    taken = update(leases).where(leases.c.name == name, free).values(holder=holder, until=until)
    return conn.execute(taken.returning(leases.c.name)).first() is not None


def release_lease(conn: Connection, name: str, holder: str) -> None:
    """Gives the holder's lease back; somebody else's stays as it is."""
    conn.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))
