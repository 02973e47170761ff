"""The pages of the small world, asked from this machine."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.app import App
from digest.web.app import create_app
from tests.web.browser import Browser
from tests.web.worlds import NOW, TOKEN, open_world


@pytest.fixture
def world(tmp_path: Path, sqlite_engine: Engine) -> App:
    return open_world(tmp_path, sqlite_engine)


@pytest.fixture
def local(world: App) -> Browser:
    """A browser on the machine itself."""
    return Browser(create_app(world, preview_token=TOKEN, heartbeat=lambda: NOW))
