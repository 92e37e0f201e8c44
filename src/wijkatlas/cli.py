"""The command line: each command a few lines around the package; errors become one line on stderr."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from wijkatlas import __version__
from wijkatlas.catalog import Polarity, load_catalogue
from wijkatlas.edition import make_edition, sample_settings
from wijkatlas.errors import WijkatlasError
from wijkatlas.publish.manifest import verify as verify_edition

app = typer.Typer(
    help="Dutch neighbourhood statistics, scored for priority with honest uncertainty.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(soft_wrap=True)

Sample = Annotated[str, typer.Option(help="An embedded sample, such as rotterdam.")]
Data = Annotated[Path, typer.Option(help="The folder of the raw store and the samples.")]
Out = Annotated[Path, typer.Option(help="The shelf of editions.")]


def main() -> None:
    """Run the command line; an expected failure is one line on stderr and exit code 1."""
    try:
        app()
    except WijkatlasError as error:
        print(f"wijkatlas: {error}", file=sys.stderr)  # noqa: T201
        raise SystemExit(1) from None


def _version(*, asked: bool) -> None:
    if asked:
        console.print(__version__)
        raise typer.Exit


@app.callback()
def _common(
    *, version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False
) -> None:
    del version


@app.command()
def run(
    sample: Sample,
    out: Out = Path("outputs"),
    data: Data = Path("data"),
) -> None:
    """Make an edition: the same bytes as the Prefect flow makes, without Prefect."""
    logging.basicConfig(format="%(message)s")
    logging.getLogger("wijkatlas").setLevel(logging.INFO)
    make_edition(sample_settings(sample, data=data, out=out))
    print(out / "latest" / "index.html")  # noqa: T201  the one line that a script wants


@app.command()
def catalogue() -> None:
    """List the indicators by domain, and the sources they come from."""
    known = load_catalogue()
    worse = {Polarity.HIGHER_IS_WORSE: "hoger", Polarity.LOWER_IS_WORSE: "lager", Polarity.CONTEXT: "-"}
    table = Table("Indicator", "Label", "Eenheid", "Slechter als", "Thema", "Bron", box=None)
    for indicator in known.indicators.values():
        worse = {Polarity.HIGHER_IS_WORSE: "hoger", Polarity.LOWER_IS_WORSE: "lager"}.get(
            indicator.polarity, "-"
        )
        domain = known.domains[indicator.domain].label if indicator.domain else "(context)"
        table.add_row(
            indicator.id, indicator.label, indicator.unit, worse[indicator.polarity], domain, indicator.source
        )
    console.print(table)
    sources = Table("Bron", "Titel", "Uitgever", "Jaren", "Licentie", box=None)
    for source in known.sources.values():
        years = f"{min(source.tables)}-{max(source.tables)}"
        sources.add_row(source.id, source.title, source.publisher, years, source.licence)
    console.print(sources)


@app.command()
def verify(
    edition: Annotated[Path, typer.Argument(help="The folder of an edition, such as outputs/latest.")],
) -> None:
    """Check every file of an edition against its manifest and checksums."""
    count = verify_edition(edition)
    console.print(f"{edition}: {count} files are as the manifest says", highlight=False)
