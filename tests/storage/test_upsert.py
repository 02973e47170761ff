from sqlalchemy import Connection, Engine, select

from digest.storage.schema import sources
from digest.storage.upsert import insert_ignore, upsert


def row(slug: str, name: str = "Steppe Post") -> dict[str, object]:
    return {"slug": slug, "name": name, "family": slug, "tier": 1.0}


def names(conn: Connection) -> dict[str, str]:
    return {row.slug: row.name for row in conn.execute(select(sources))}


def test_insert_ignore_returns_the_keys_of_new_rows_only(engine: Engine) -> None:
    with engine.begin() as conn:
        assert [key.slug for key in insert_ignore(conn, sources, [row("a")])] == ["a"]
        added = insert_ignore(conn, sources, [row("a", "changed"), row("b"), row("c")])
        assert sorted(key.slug for key in added) == ["b", "c"]
        assert names(conn)["a"] == "Steppe Post"
        assert list(insert_ignore(conn, sources, [])) == []


def test_upsert_sets_the_named_columns_of_known_rows(engine: Engine) -> None:
    with engine.begin() as conn:
        upsert(conn, sources, [row("a", "Old"), row("b", "Old")])
        upsert(conn, sources, [row("a", "New"), row("c", "New")])
        assert names(conn) == {"a": "New", "b": "Old", "c": "New"}
        upsert(conn, sources, [row("a", "Newer")], update=["tier"])
        assert names(conn)["a"] == "New"
        upsert(conn, sources, [row("a", "Newest")], update=[])
        assert names(conn)["a"] == "New"
