"""Files that ship with the package: templates/, config/ and the catalogues of locale/.

In a wheel templates and config lie inside the package, in a checkout (editable install) beside it.
"""

from functools import lru_cache
from pathlib import Path

TEMPLATE_SUFFIXES = frozenset({".html", ".txt", ".css"})


def packaged_dir(name: str) -> Path:
    """The packaged folder "templates" or "config". Raises FileNotFoundError where the installation is broken."""
    package = Path(__file__).resolve().parent
    for candidate in (package / name, package.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"packaged folder {name}/ not found beside or inside {package}; install the package again")


def packaged_config_dir() -> Path:
    """The packaged config/: defaults, newsletters, sources, gazetteer and the demo."""
    return packaged_dir("config")


def packaged_text(name: str) -> str:
    """The text of a packaged file named from the folders' parent ("config/digest.toml")."""
    folder, _, rest = name.partition("/")
    return (packaged_dir(folder) / rest).read_text(encoding="utf-8")


def template_texts(overrides: Path | None = None) -> dict[str, str]:
    """Texts of all templates by name ("email/edition.html") and of all catalogues ("locale/ru.po").

    A file of the same name in `overrides` wins: the instance's templates/ folder, which need not exist. What it holds
    below newsletters/SLUG/ wins for that newsletter alone (`pipeline.render`).
    """
    texts = {**catalogue_texts(), **_texts(packaged_dir("templates"))}
    if overrides is not None and overrides.is_dir():
        texts.update(_texts(overrides))
    return texts


@lru_cache(maxsize=1)
def catalogue_texts() -> dict[str, str]:
    """The packaged catalogues of interface strings by name ("locale/ru.po"). Read once; do not change it."""
    folder = Path(__file__).resolve().parent / "locale"
    return {f"locale/{path.parent.parent.name}.po": path.read_text(encoding="utf-8")
            for path in sorted(folder.glob("*/LC_MESSAGES/digest.po"))}


def _texts(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.suffix in TEMPLATE_SUFFIXES and path.is_file()
    }
