"""Wheel, sdist and editable installs carry what git tracks, no more, and work from any directory."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGED = ("digest", "templates", "config")


def _tracked(*folders: str) -> set[str]:
    listing = subprocess.run(["git", "ls-files", "-z", *folders], cwd=ROOT, capture_output=True, check=True)
    return {name for name in listing.stdout.decode().split("\0") if name}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git tracks, as it is in the working tree, beside a private file that must never be shipped."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    folder = tmp_path_factory.mktemp("checkout")
    for name in _tracked():
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    (folder / "config" / "local.toml").write_text('password = "secret"\n')
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def built(checkout: Path) -> Path:
    """The folder with a wheel and an sdist of the checkout."""
    subprocess.run([sys.executable, "-m", "hatchling", "build"], cwd=checkout, check=True, capture_output=True)
    return checkout / "dist"


def test_the_wheel_holds_what_git_tracks(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {name if name.startswith("digest/") else f"digest/{name}" for name in _tracked(*PACKAGED)}
    assert names == expected


def test_the_sdist_holds_what_builds_the_wheel(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert _tracked(*PACKAGED) <= names
    assert "config/local.toml" not in names


def test_an_installed_wheel_works_from_any_directory(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(site)}
    code = "import digest.resources as r; print(r.__file__); print(len(r.template_texts()), r.packaged_config_dir())"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=elsewhere, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    where, counted = result.stdout.splitlines()
    assert where.startswith(str(site))
    assert int(counted.split()[0]) > 0
    assert counted.endswith(str(site / "digest" / "config"))
