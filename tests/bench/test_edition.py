"""The bench of one edition makes the same edition every time, within its byte budget."""

import pytest

from bench import edition
from digest.documents import read_configuration
from digest.pipeline.render import Renderer
from digest.pipeline.view import sha256
from digest.resources import packaged_config_dir, template_texts
from digest.services.config import packaged_gazetteer, read_files
from digest.settings import Instance


def test_the_generated_edition_is_the_same_every_time() -> None:
    configuration = read_configuration(read_files(Instance(packaged_config_dir().parent)), packaged_gazetteer())
    renderer = Renderer(template_texts(None))
    views = [edition.edition_of(edition.generated(configuration, 60), renderer)[0] for _ in range(2)]
    assert sha256(views[0]) == sha256(views[1])
    assert len(views[0].mailed) > 10 and len(renderer.html(views[0])) < 90_000


def test_it_prints_what_one_edition_costs(capsys: pytest.CaptureFixture[str]) -> None:
    edition.main(["--stories", "20"])
    out = capsys.readouterr().out
    assert "20 stories" in out and "ms CPU (compose" in out
