"""What an opened instance does when its documents are wrong."""

from pathlib import Path

import pytest

from digest.app import open_app
from digest.errors import ConfigError

NEWS = 'name = "{}"\nregion = "Steppe"\nregions = ["Steppe"]\n'


def write(root: Path, text: str) -> None:
    path = root / "config" / "newsletters" / "steppe.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An instance whose first version was imported."""
    write(tmp_path, NEWS.format("Steppe News"))
    with open_app(str(tmp_path)) as app:
        assert app.configuration.version == 1
    return tmp_path


def test_a_command_refuses_wrong_documents(root: Path) -> None:
    write(root, "nonsense")
    with pytest.raises(ConfigError), open_app(str(root)):
        pass


def test_what_must_not_stop_goes_on_with_the_last_good_version_and_takes_the_mended_one(root: Path) -> None:
    write(root, "nonsense")
    with open_app(str(root), keep=True) as app:
        assert app.configuration.newsletters["steppe"].name == "Steppe News"
        assert app.refresh_configuration().version == 1
        write(root, NEWS.format("Mended News"))
        assert app.refresh_configuration().newsletters["steppe"].name == "Mended News"
        assert app.configuration.version == 2
