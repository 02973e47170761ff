"""`digest dkim`: the keys that sign mail."""

import click

from digest.app import App
from digest.cli import with_app
from digest.mail.dkim import ALGORITHMS
from digest.services import dkim as service
from digest.services.envelopes import default_sender
from digest.services.sender_records import domain_of


@click.group()
def dkim() -> None:
    """Make keys that sign mail (DKIM)."""


@dkim.command()
@click.option("--selector", metavar="NAME", help="Its name in DNS [rd and the year and month].")
@click.option("--algorithm", type=click.Choice([*ALGORITHMS, "both"]), default="both", show_default=True,
              help="rsa is RSA with 2048 bits, which every receiver reads; ed25519 is shorter and newer.")
@click.option("--domain", help="The domain that its record is printed for [that of your mail's From].")
@with_app
def new(app: App, selector: str | None, algorithm: str, domain: str | None) -> None:
    """Make a key pair and print the DNS record that its public half needs.

    Keys are files in var/dkim/, readable by their owner alone. A new one signs nothing yet: publish its record, see
    that `digest doctor` finds it, then name it in dkim.selectors of digest.toml.
    """
    domain = domain or app.settings.dkim.domain or domain_of(default_sender(app.settings, ""))
    if "." not in domain:
        raise click.UsageError("the domain of your mail is not set: give --domain, or set site.url in digest.toml")
    name = selector or f"rd{app.clock.now():%Y%m}"
    wanted = ALGORITHMS if algorithm == "both" else (algorithm,)
    names = [name if len(wanted) == 1 else f"{name}-{each}" for each in wanted]
    keys = []
    for each, its_name in zip(wanted, names, strict=True):
        try:
            keys.append(service.make_key(app.instance.dkim, its_name, each))
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--selector") from error
    for key in keys:
        click.echo(f"; {app.instance.dkim / key.selector}.pem ({key.algorithm})")
        click.echo(service.zone_line(service.record_name(key.selector, domain), key.record()))
    both = ", ".join(f'"{name}"' for name in (*app.settings.dkim.selectors, *names))
    click.echo(f"; 1. publish {'these records' if len(keys) > 1 else 'this record'}; 2. digest doctor; "
               f"3. [dkim] selectors = [{both}]", err=True)
