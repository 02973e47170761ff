"""The `digest` command: one file a noun, each loaded only when it is called, so that --help is quick."""

import functools
import importlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from digest import __version__

if TYPE_CHECKING:
    from digest.app import App

# command -> (module:attribute, one-line help shown without loading the module)
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("digest.cli.init:init", "Make a new instance for your own region."),
    "demo": ("digest.cli.demo:demo", "Run the whole chain on a made-up region."),
    "check": ("digest.cli.config:check", "Check the configuration documents."),
    "config": ("digest.cli.config:config", "Compare, list and export configuration versions."),
    "poll": ("digest.cli.feeds:poll", "Poll the feeds that are due."),
    "feeds": ("digest.cli.feed_health:feeds", "Add, try, exchange and look after feeds."),
    "preview": ("digest.cli.editions:preview", "Show the next edition; nothing is stored, no reader is mailed."),
    "editions": ("digest.cli.desk:editions", "Arrange, approve, correct and list editions."),
    "lint": ("digest.cli.lint:lint", "Check an edition for what would be broken in a mailbox."),
    "send": ("digest.cli.editions:send", "Build the edition once and mail it to its subscribers."),
    "why": ("digest.cli.editions:why", "Say what became of an item, and why."),
    "stories": ("digest.cli.stories:stories", "List, explain, merge, split and rebuild stories."),
    "subscribers": ("digest.cli.subscribers:subscribers", "Add, list, change, import, export and erase subscribers."),
    "deliveries": ("digest.cli.deliveries:deliveries", "Say what became of each mail; settle what is in doubt."),
    "bounces": ("digest.cli.bounces:bounces", "Say what came back of sent mail, and who gets none."),
    "alerts": ("digest.cli.alerts:alerts", "Add, try, tune and list keyword alert rules."),
    "topics": ("digest.cli.topics:topics", "Show what topics match, and what a change would do."),
    "search": ("digest.cli.search:search", "Search the archive: what a query finds, counted by day."),
    "replay": ("digest.cli.replay:replay", "Run recorded archives through the whole pipeline."),
    "export": ("digest.cli.export:export", "Write the archive as pages that open without a server."),
    "doctor": ("digest.cli.doctor:doctor", "Check the set-up and the DNS records of your mail."),
    "dkim": ("digest.cli.dkim:dkim", "Make keys that sign mail."),
    "send-test": ("digest.cli.send_test:send_test", "Send one test mail by the servers that are set."),
    "serve": ("digest.cli.serve:serve", "Run the scheduler and the web pages in one process."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--instance", metavar="DIR", help="Folder with config/, templates/ and var/ [$DIGEST_HOME, else here].")
@click.version_option(__version__, prog_name="digest")
@click.pass_context
def cli(ctx: click.Context, instance: str | None) -> None:
    """Polls a region's news feeds, groups them into stories, mails a daily digest and keyword alerts."""
    ctx.obj = instance


def quiet_logs() -> None:
    """Lets warnings alone pass, to stderr: a command says by itself what it did."""
    import logging

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
                        logger_factory=structlog.PrintLoggerFactory(sys.stderr))


P = ParamSpec("P")
R = TypeVar("R")


def with_app(command: Callable[Concatenate["App", P], R]) -> Callable[P, R]:
    """Gives a command the opened App of its instance, with the configuration in force, and closes it."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        from digest.app import open_app

        quiet_logs()
        with open_app(click.get_current_context().find_root().obj) as app:
            return command(app, *args, **kwargs)

    return wrapper


def main(arguments: list[str] | None = None) -> Any:
    """Runs the command line; an error of the product ends with its message and exit code 1."""
    from digest.errors import DigestError

    try:
        return cli.main(arguments, prog_name="digest")
    except DigestError as error:
        click.echo(f"digest: {error}", err=True)
        sys.exit(1)
