import pytest
from pydantic import ValidationError

from digest.documents import Newsletter, read_document
from digest.errors import ConfigError
from digest.theme import Theme, contrast, rgb


def test_contrast_is_that_of_wcag() -> None:
    assert contrast(rgb("#ffffff"), rgb("#000000")) == pytest.approx(21)
    assert contrast(rgb("#777777"), rgb("#ffffff")) == pytest.approx(4.48, abs=0.01)
    assert contrast(rgb("#123456"), rgb("#123456")) == 1


@pytest.mark.parametrize("values", [
    {"accent": "red"}, {"accent": "#e08a7a"}, {"accent_dark": "#8f2d1f"}, {"font": "comic"},
    {"logo_url": "/logo.png"}, {"logo_url": "http://news.example.org/logo.png"}, {"colour": "#000000"},
])
def test_what_cannot_be_read_or_seen_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Theme.model_validate(values)


def test_the_mistake_is_named_with_its_place() -> None:
    text = 'name = "N"\nregion = "R"\nregions = ["R"]\n[theme]\naccent = "#ff9999"\n'
    with pytest.raises(ConfigError, match=r"newsletters/n.toml:5: theme.accent: has a contrast of 2\.\d on the white"):
        read_document("newsletters/n.toml", text, Newsletter, slug="n")
