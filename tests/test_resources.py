from pathlib import Path

from digest.resources import packaged_config_dir, template_texts


def test_templates_are_named_from_their_folder() -> None:
    texts = template_texts(None)
    assert {"email/edition.html", "email/edition.txt", "email/edition.css"} <= set(texts)
    assert "{{ view.name" in texts["email/edition.txt"]


def test_a_template_of_the_instance_wins(tmp_path: Path) -> None:
    override = tmp_path / "email" / "edition.txt"
    override.parent.mkdir()
    override.write_text("ours", encoding="utf-8")
    texts = template_texts(tmp_path)
    assert texts["email/edition.txt"] == "ours"
    assert texts["email/edition.html"] == template_texts(None)["email/edition.html"]


def test_a_missing_override_folder_is_no_error(tmp_path: Path) -> None:
    assert template_texts(tmp_path / "none") == template_texts(None)


def test_the_packaged_configuration_is_found() -> None:
    assert packaged_config_dir().is_dir()
