"""The command line: each command a few lines around the package; errors become one line on stderr."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from wijkatlas import __version__
from wijkatlas.areas import Level, level_of
from wijkatlas.catalog import Polarity, load_catalogue
from wijkatlas.catalog.references import load_references
from wijkatlas.edition import make_edition, prepare, sample_settings
from wijkatlas.errors import ScoringError, WijkatlasError
from wijkatlas.publish.explained import explained
from wijkatlas.publish.manifest import verify as verify_edition
from wijkatlas.scoring.assessment import rank_level
from wijkatlas.scoring.score import score as score_table
from wijkatlas.scoring.sensitivity import compare
from wijkatlas.scoring.spec import load_spec
from wijkatlas.scoring.validate import validate as validate_scores

app = typer.Typer(
    help="Dutch neighbourhood statistics, scored for priority with honest uncertainty.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(soft_wrap=True)

Sample = Annotated[str, typer.Option(help="An embedded sample, such as rotterdam.")]
Data = Annotated[Path, typer.Option(help="The folder of the raw store and the samples.")]
Spec = Annotated[str, typer.Option(help="A score specification: its name, or the path of a TOML file.")]
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


@app.command()
def explain(
    code: Annotated[str, typer.Argument(help="The code of a buurt or wijk, such as BU05991087.")],
    sample: Sample,
    spec: Spec = "deltaplan",
    data: Data = Path("data"),
) -> None:
    """Tell of one area its place, its reasons, its figures and what is missing."""
    level = level_of(code)
    if level not in {Level.BUURT, Level.WIJK}:
        raise ScoringError(f"{code} is no code of a buurt or wijk (BU and eight characters, WK and six)")
    known = load_catalogue()
    table = prepare(sample_settings(sample, data=data, out=Path())).tables[level]
    declared = load_spec(spec, known)
    print(explained(code, rank_level(table, declared, declared, known), known))  # noqa: T201


@app.command()
def validate(
    sample: Sample,
    spec: Spec = "deltaplan",
    data: Data = Path("data"),
) -> None:
    """Hold a score against listed priority areas, and against outcomes that are left out of it."""
    known = load_catalogue()
    table = prepare(sample_settings(sample, data=data, out=Path())).tables[Level.BUURT]
    declared = load_spec(spec, known)
    scores = score_table(table, declared, known)
    print(validate_scores(scores, table, declared, known, load_references()).to_markdown())  # noqa: T201


@app.command()
def score(
    sample: Sample,
    spec: Spec = "deltaplan",
    against: Annotated[str, typer.Option(help="Another specification to compare with.")] = "",
    level: Annotated[Level, typer.Option(help="Which areas to score.")] = Level.BUURT,
    data: Data = Path("data"),
) -> None:
    """Score by a specification of your own, and see who gains and who loses by it."""
    known = load_catalogue()
    table = prepare(sample_settings(sample, data=data, out=Path())).tables[level]
    after = score_table(table, load_spec(spec, known), known)
    if against:
        before = score_table(table, load_spec(against, known), known)
        comparison = compare(before, after, table.areas["gemeente_code"])
        moved = comparison.areas.sort_values(["verschuiving", "rang_na"], ascending=[False, True])
        _print_frame(moved, table.areas["naam"])
        _print_frame(comparison.gemeenten.round(1), None)
    else:
        _print_frame(after.overview.sort_values("rang").round(2), table.areas["naam"])


def _print_frame(frame: pd.DataFrame, names: pd.Series | None) -> None:
    """Print a frame as tab-separated text, with the areas' names where they are given."""
    named = frame if names is None else frame.assign(naam=names.reindex(frame.index))
    print(named.to_csv(sep="\t", index_label="code").rstrip())  # noqa: T201
