"""`kappaweb`: the stack and its jobs from a terminal."""

from __future__ import annotations

import os
import sys

import click

from kappaweb.demo import run as run_demo
from kappaweb.embedded import stack
from kappaweb.embedded.postgres import DatabaseUnavailable
from kappaweb.embedded.supervision import StackError


class Refusals(click.Group):
    """Says an expected failure in one sentence, with exit code 1."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except (StackError, DatabaseUnavailable) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Refusals)
def main() -> None:
    """Find crystals that conduct heat extremely well."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kappaweb.settings.base")


@main.command()
@click.option("--only", default="", help="Processes to start, separated by commas: postgres, web, …")
@click.option("--port", type=int, envvar="PORT", help="Port of the pages; default: the next free one from 8000.")
def up(only: str, port: int | None) -> None:
    """Start the stack."""
    address = stack.start(stack.default_places(), port=port, only=[name for name in only.split(",") if name])
    click.echo(address or "started")


@main.command()
def down() -> None:
    """Stop the stack."""
    stack.stop(stack.default_places())


@main.command()
def status() -> None:
    """Show each process."""
    places = stack.default_places()
    states = stack.status(places)
    for process in states:
        click.echo(f"{process.name:16} {process.state:10} {process.detail}")
    click.echo(stack.address(places) or ("no pages" if states else "not running"))


@main.command()
@click.option(
    "--protocol", type=click.Choice(["demo", "committee", "replay", "smoke"]), default="demo", envvar="PROTOCOL"
)
@click.option("--exit", "exit_at_end", is_flag=True, envvar="EXIT", help="End when the table is there.")
@click.option("--fresh", is_flag=True, envvar="FRESH", help="Start a new campaign.")
@click.option("--grant", type=float, default=0.0, envvar="GRANT", help="Core-hours that DFT may spend unasked.")
@click.option("--port", type=int, envvar="PORT", help="Port of the pages; default: the next free one from 8000.")
def demo(protocol: str, exit_at_end: bool, fresh: bool, grant: float, port: int | None) -> None:
    """Run the carbon campaign to its ranked table and serve it."""
    sys.exit(run_demo(protocol=protocol, exit_at_end=exit_at_end, fresh=fresh, grant=grant, port=port))


@main.command("login-link")
@click.argument("username")
def login_link(username: str) -> None:
    """Print a one-time login link (15 minutes)."""
    places = stack.default_places()
    stack.start(places)
    click.echo(stack.login_link(places, username))


PASSED_ON = {"ignore_unknown_options": True, "help_option_names": []}


@main.command(context_settings=PASSED_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def train(arguments: tuple[str, ...]) -> None:
    """Train a potential: kappaweb train CONFIGURATION [--data FILE] [--teacher MODEL] … (--help tells all)."""
    sys.exit(_with_stack("train", arguments))


@main.command("train-generator", context_settings=PASSED_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def train_generator(arguments: tuple[str, ...]) -> None:
    """Train a generator: kappaweb train-generator NAME --train FILE [--test FILE] … (--help tells all)."""
    sys.exit(_with_stack("train_generator", arguments))


@main.command("assess-generator", context_settings=PASSED_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def assess_generator(arguments: tuple[str, ...]) -> None:
    """Measure a generator: kappaweb assess-generator NAME [--count N] [--reconstructed N]"""
    sys.exit(_with_stack("assess_generator", arguments))


@main.command(context_settings=PASSED_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def kappa(arguments: tuple[str, ...]) -> None:
    """κ_L of force sets: kappaweb kappa FOLDER --mesh N N N [--lbte] [--temperature T] …"""
    sys.exit(_with_stack("kappa", arguments))


@main.command(context_settings=PASSED_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def study(arguments: tuple[str, ...]) -> None:
    """κ_L against a setting: kappaweb study CANDIDATE mesh|cutoff|supercell|displacement [VALUE] …"""
    sys.exit(_with_stack("study", arguments))


@main.command("dft-check", context_settings=PASSED_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def dft_check(arguments: tuple[str, ...]) -> None:
    """Diamond by a DFT engine: kappaweb dft-check [--functional PBE] [--approve] … (--help tells all)."""
    sys.exit(_with_stack("dft_check", arguments))


def _with_stack(command: str, arguments: tuple[str, ...]) -> int:
    """Start what is not running yet, and follow a job on it; what was started keeps running."""
    places = stack.default_places()
    if not {"-h", "--help"} & set(arguments):
        stack.start(places)
    return stack.manage_here(places, command, *arguments)


if __name__ == "__main__":
    main()
