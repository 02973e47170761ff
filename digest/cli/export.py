"""`digest export`: the archive as static files."""

from pathlib import Path

import click

from digest.app import App
from digest.cli import with_app
from digest.resources import template_texts
from digest.services.editions import renderer_of
from digest.web.export import archive_files
from digest.web.pages import Pages


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Write into a folder that holds files already; others there stay.")
@with_app
def export(app: App, folder: Path, force: bool) -> None:
    """Write every released edition into DIR as pages that open without a server.

    With the pages of all stories, the stories they link to, the feeds and the stylesheet. An equal archive gives equal
    bytes. Links to what is not in the folder lead to site.url, where that is set.
    """
    if not force and folder.is_dir() and any(folder.iterdir()):
        raise click.ClickException(f"{folder} is not empty: name another folder, or add --force")
    renderer = renderer_of(template_texts(app.instance.templates), app.settings)
    count = size = 0
    for name, content in archive_files(app, Pages(lambda: renderer, app.settings.site.name)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        count, size = count + 1, size + len(content)
    click.echo(f"Wrote {count} files, {size / 1e6:.1f} MB: open {(folder / 'index.html').resolve().as_uri()}")
