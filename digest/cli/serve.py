"""`digest serve`: scheduler and web pages in one process."""

import asyncio
import secrets
import signal
import socket
import sys
from contextlib import closing

import click
import structlog
import uvicorn

from digest.app import App, open_app
from digest.demo import demo_app, demo_root, run
from digest.scheduler import running
from digest.web.app import create_app

FINISH_REQUESTS_SECONDS = 5
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # addresses that stand for all of the machine's


@click.command()
@click.option("--host", help="Address to listen on [server.host of digest.toml].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one [server.port].")
@click.option("--demo", "demo_mode", is_flag=True, help="Serve the demo instance with its made-up feeds.")
@click.pass_context
def serve(ctx: click.Context, host: str | None, port: int | None, demo_mode: bool) -> None:
    """Run the scheduler and the web pages in one process, until SIGTERM or Ctrl-C."""
    _log_to_stderr()
    instance = ctx.find_root().obj
    with demo_app(demo_root(instance), keep=True) if demo_mode else open_app(instance, keep=True) as app:
        server = app.settings.server
        with closing(_listen(host or server.host, server.port if port is None else port)) as listener:
            _use_address(app, listener)
            if demo_mode:
                asyncio.run(run(app))
            asyncio.run(_serve(app, listener, _signals()))


async def _serve(app: App, listener: socket.socket, signals: list[int]) -> None:
    """Serves until a signal comes; then answers what was asked and finishes the mail in flight."""
    token = secrets.token_urlsafe(18)
    async with running(app) as scheduler, app.intake().running():
        web = create_app(app, preview_token=token, heartbeat=scheduler.heartbeat)
        server = uvicorn.Server(uvicorn.Config(
            web, log_level="warning", access_log=False, proxy_headers=False, server_header=False,
            timeout_graceful_shutdown=FINISH_REQUESTS_SECONDS))
        _announce(app, token)
        server.should_exit = bool(signals)
        await server.serve(sockets=[listener])


def _announce(app: App, token: str) -> None:
    """Prints where to look, and what opens the operators' pages from elsewhere."""
    server = app.settings.server
    name = "localhost" if server.host in EVERYWHERE else f"[{server.host}]" if ":" in server.host else server.host
    base = f"http://{name}:{server.port}"
    click.echo(f"Serving {app.instance.root}")
    for slug, newsletter in app.configuration.newsletters.items():
        click.echo(f"  {newsletter.name:<28} {base}/{slug}/")
    click.echo(f"  {'Preview':<28} {base}/preview")
    if not app.settings.smtp.by_name:
        click.echo(f"  {'Outbox (no SMTP is set)':<28} {base}/outbox")
    click.echo(f"  {'Health':<28} {base}/healthz")
    click.echo(f"From another machine, preview and outbox need ?token={token}")
    click.echo("Stop with Ctrl-C or SIGTERM.")
    sys.stdout.flush()


def _use_address(app: App, listener: socket.socket) -> None:
    """Lets links in mail lead to the port that is really listened on, where the site has no public address."""
    host, port = listener.getsockname()[:2]
    server = app.settings.server.model_copy(update={"host": host, "port": port})
    app.settings = app.settings.model_copy(update={"server": server})


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, so that the address is known, and known to be free, before anything starts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {host}:{port}: {error.strerror or error}; choose another with --port") from error


def _signals() -> list[int]:
    """A list that gets the stop signals that come while uvicorn does not listen for them.

    So one that comes before it starts is obeyed, and the one that it raises once more at its end, when it has been
    obeyed already, does not spoil the exit code.
    """
    received: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: received.append(number))
    return received


def _log_to_stderr() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
