"""Configuration versions and their mirror, on both databases."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select, update

from digest.documents import read_configuration
from digest.storage import config, schema

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
NEWS = 'name = "Steppe"\nregion = "Steppe"\nregions = ["Steppe"]\n'
TOPIC = '[[topics]]\nslug = "oil"\ntitle = "Oil"\nquery = "oil"\n'


def _sources(*urls: str, name: str = "Herald") -> str:
    feeds = "".join(f'[[sources.feeds]]\nurl = "{url}"\nregion = "Steppe"\n' for url in urls)
    return f'[[sources]]\nslug = "herald"\nname = "{name}"\n{feeds}'


def _mirror(engine: Engine, texts: dict[str, str], now: datetime) -> None:
    with engine.begin() as conn:
        config.mirror(conn, read_configuration(texts), now)


def test_a_version_is_told_as_the_documents_were_then(engine: Engine) -> None:
    with engine.begin() as conn:
        assert config.newest_version(conn) == 0
        assert config.texts_at(conn, 0) == {}
        assert config.add_version(conn, 1, "files", NOW, {"a.toml": "1", "b.toml": "1"})
        assert config.add_version(conn, 2, "anna", LATER, {"a.toml": "2", "b.toml": None, "c.toml": "2"})
        assert config.newest_version(conn) == 2
        assert config.texts_at(conn, 1) == {"a.toml": "1", "b.toml": "1"}
        assert config.texts_at(conn, 2) == {"a.toml": "2", "c.toml": "2"}
        newest, first = config.versions(conn)
    assert (newest.number, newest.author, newest.at, newest.paths) == (2, "anna", LATER, ("a.toml", "b.toml", "c.toml"))
    assert first.paths == ("a.toml", "b.toml")


def test_a_number_is_given_once(engine: Engine) -> None:
    with engine.begin() as conn:
        assert config.add_version(conn, 1, "files", NOW, {"a.toml": "1"})
    with engine.begin() as conn:
        assert not config.add_version(conn, 1, "files", LATER, {"a.toml": "other"})
        assert config.texts_at(conn, 1) == {"a.toml": "1"}


def test_rows_follow_the_documents_and_retire_without_losing_poll_state(engine: Engine) -> None:
    one, two = "https://h.example/1", "https://h.example/2"
    _mirror(engine, {"newsletters/steppe.toml": NEWS + TOPIC, "sources/s.toml": _sources(one, two)}, NOW)
    with engine.begin() as conn:
        conn.execute(update(schema.feeds).values(etag='"x"', error_count=3))
    _mirror(engine, {"newsletters/steppe.toml": NEWS, "sources/s.toml": _sources(one, name="New Herald")}, LATER)
    with engine.begin() as conn:
        feeds = {row.url: row for row in conn.execute(select(schema.feeds))}
        source = conn.execute(select(schema.sources)).one()
        topic = conn.execute(select(schema.topics)).one()
    assert (feeds[one].retired_at, feeds[two].retired_at, topic.retired_at) == (None, LATER, LATER)
    assert (source.name, feeds[one].etag, feeds[one].error_count) == ("New Herald", '"x"', 3)
    _mirror(engine, {"newsletters/steppe.toml": NEWS + TOPIC, "sources/s.toml": _sources(one, two)}, LATER)
    with engine.begin() as conn:
        assert conn.execute(select(schema.feeds.c.retired_at, schema.feeds.c.error_count)).all() == [(None, 3)] * 2
        assert conn.execute(select(schema.topics.c.retired_at)).scalar_one() is None


def test_a_retired_row_keeps_the_time_when_it_retired(engine: Engine) -> None:
    _mirror(engine, {"sources/s.toml": _sources()}, NOW)
    _mirror(engine, {}, LATER)
    _mirror(engine, {}, LATER + timedelta(days=1))
    with engine.begin() as conn:
        assert conn.execute(select(schema.sources.c.retired_at)).scalar_one() == LATER
