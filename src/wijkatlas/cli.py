"""The command line: each command a few lines around the package; errors become one line on stderr."""

import logging
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console
from rich.table import Column, Table

from wijkatlas import __version__
from wijkatlas.areas import Level, level_of
from wijkatlas.catalog import Polarity, load_catalogue
from wijkatlas.catalog.references import load_references
from wijkatlas.compare import compare_editions
from wijkatlas.divide import divide
from wijkatlas.edition import make_edition
from wijkatlas.errors import ScoringError, SettingsError, WijkatlasError
from wijkatlas.inputs import Settings, load_vocabulary, prepare, sample_settings
from wijkatlas.publish import allocations, changes
from wijkatlas.publish.explained import explained
from wijkatlas.publish.manifest import verify as verify_edition
from wijkatlas.publish.release import ALLOCATIONS, CHANGES, EDITIONS, only_writer
from wijkatlas.publish.shelf import write_shelf
from wijkatlas.rebuild import rebuild
from wijkatlas.scoring.assessment import rank_level
from wijkatlas.scoring.score import score as score_table
from wijkatlas.scoring.sensitivity import compare
from wijkatlas.scoring.spec import load_spec
from wijkatlas.scoring.validate import validate as validate_scores
from wijkatlas.serve import address_of, make_server
from wijkatlas.settings import load_settings
from wijkatlas.snapshots import SnapshotStore, locks_under
from wijkatlas.sources.doctor import examine
from wijkatlas.sources.fetch import fetch_all
from wijkatlas.sources.own_table import describe, load_own
from wijkatlas.status import Health, ask_scheduler, look_at_shelf, tell
from wijkatlas.terminal import FetchProgress

app = typer.Typer(
    help="Dutch neighbourhood statistics, scored for priority with honest uncertainty.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
catalogue_app = typer.Typer(
    help="The indicators and sources, and a check of your own.", invoke_without_command=True
)
snapshots_app = typer.Typer(help="The raw store: what it holds, whether it is whole.", no_args_is_help=True)
app.add_typer(catalogue_app, name="catalogue")
app.add_typer(snapshots_app, name="snapshots")
console = Console(soft_wrap=True, highlight=False)

Sample = Annotated[str, typer.Option(help="An embedded sample, such as rotterdam; always offline.")]
Year = Annotated[int, typer.Option(help="The year of the division, for the whole country.")]
Data = Annotated[Path, typer.Option(help="The folder of the raw store and the samples.")]
Out = Annotated[Path, typer.Option(help="The shelf of editions.")]
Spec = Annotated[str, typer.Option(help="A score specification: its name, or the path of a TOML file.")]
Own = Annotated[list[Path] | None, typer.Option(help="The catalogue file of an own table; may be repeated.")]
File = Annotated[Path | None, typer.Option("--settings", help="The settings file; else wijkatlas.toml.")]
Beside = Annotated[Path | None, typer.Option("--out", help="The shelf to put a page and CSV files on.")]

DATA = Path("data")
OUT = Path("outputs")


def main() -> None:
    """Run the command line; an expected failure is one line on stderr and exit code 1."""
    try:
        app()
    except WijkatlasError as error:
        print(f"wijkatlas: {error}", file=sys.stderr)  # noqa: T201
        raise SystemExit(1) from None


def asked(sample: str, year: int, data: Path, out: Path = OUT) -> Settings:
    """
    Turn the common options into settings that fetch nothing.

    Raises
    ------
    SettingsError
        Not exactly one of a sample and a year is given.
    """
    if bool(sample) == bool(year):
        raise SettingsError("give either --sample or --year")
    if sample:
        return sample_settings(sample, data=data, out=out)
    return Settings(year=year, store=data / "raw", out=out)


def _version(*, asked_for: bool) -> None:
    if asked_for:
        console.print(__version__)
        raise typer.Exit


@app.callback()
def _common(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=lambda value: _version(asked_for=value), is_eager=True)
    ] = False,
) -> None:
    del version


@app.command()
def run(
    *,
    sample: Sample = "",
    year: Year = 0,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing: use what is stored.")] = False,
    lock: Annotated[
        Path | None, typer.Option(help="The sources.lock of an old edition: make it again, offline.")
    ] = None,
    spec: Spec = "deltaplan",
    own: Own = None,
    force: Annotated[
        bool, typer.Option("--force", help="Publish whatever the quality gate objects.")
    ] = False,
    keep: Annotated[
        int | None, typer.Option(min=1, help="How many editions of this region stay; without it, all.")
    ] = None,
    out: Out = OUT,
    data: Data = DATA,
    settings: File = None,
) -> None:
    """Make an edition: the same bytes as the Prefect flow makes, without Prefect."""
    _log_stages()
    fetches = not (sample or offline or lock)
    make_edition(
        replace(
            asked(sample, year, data, out),
            spec=spec,
            own=tuple(own or ()),
            lock=lock,
            force=force,
            keep=keep,
            fetch_by=load_settings(settings) if fetches else None,
        )
    )
    print(out / "latest" / "index.html")  # noqa: T201  the one line that a script wants


@app.command()
def fetch(year: Year, data: Data = DATA, settings: File = None) -> None:
    """Bring the raw store up to date, and show what each source took."""
    store = SnapshotStore(data / "raw")
    with FetchProgress() as progress:
        lock = fetch_all(store, load_catalogue(), year, load_settings(settings), progress.show)
    news = progress.news
    told = f"{news} new" if news else "no news"
    console.print(f"{len(lock.snapshots)} snapshots in {store.root}, {told}")


@app.command()
def doctor(year: Year, data: Data = DATA, settings: File = None) -> None:
    """Check every source: reachable, table and columns there, how filled; exit code 1 if one is not well."""
    with FetchProgress() as progress:
        findings = examine(
            SnapshotStore(data / "raw"), load_catalogue(), year, load_settings(settings), progress.show
        )
    table = Table("Bron", "Tabel", "Jaar", "Gebieden", *Level, "Leeg", "Nieuwer", "Oordeel", box=None)
    for finding in findings:
        filled = [f"{finding.filled[level]:.0%}" if level in finding.filled else "-" for level in Level]
        table.add_row(
            *(finding.source, finding.table, str(finding.year), str(finding.areas), *filled),
            *(str(len(finding.empty)), finding.newer or "-", finding.problem or "goed"),
        )
    console.print(table)
    if any(finding.problem for finding in findings):
        raise typer.Exit(1)


@snapshots_app.command("list")
def list_snapshots(data: Data = DATA) -> None:
    """List what the raw store holds."""
    table = Table("Bron", "Tabel", "Deel", "Blad", "Opgehaald", "Bytes", "sha256", box=None)
    for s in SnapshotStore(data / "raw").snapshots():
        table.add_row(s.source, s.table, s.part, str(s.page), str(s.retrieved), str(s.size), s.sha256[:12])
    console.print(table)


@snapshots_app.command("verify")
def verify_snapshots(data: Data = DATA) -> None:
    """Check every snapshot against its hash; exit code 1 if one is not whole."""
    problems = SnapshotStore(data / "raw").verify()
    for problem in problems:
        console.print(problem)
    if problems:
        raise typer.Exit(1)
    console.print("every snapshot is whole")


@snapshots_app.command("prune")
def prune_snapshots(
    *,
    data: Data = DATA,
    out: Out = OUT,
    really: Annotated[bool, typer.Option("--really", help="Remove them, not only tell.")] = False,
) -> None:
    """Tell which snapshots no edition on the shelf needs, and remove them if you really ask."""
    removed = SnapshotStore(data / "raw").prune(locks_under(out / EDITIONS), dry_run=not really)
    for path in removed:
        console.print(str(path))
    console.print(f"{len(removed)} files {'removed' if really else 'could be removed: add --really'}")


@catalogue_app.callback()
def catalogue(context: typer.Context) -> None:
    """List the indicators by domain and the sources they come from, or check a file of your own."""
    if context.invoked_subcommand:
        return
    known = load_catalogue()
    worse = {Polarity.HIGHER_IS_WORSE: "hoger", Polarity.LOWER_IS_WORSE: "lager", Polarity.CONTEXT: "-"}
    name = Column("Indicator", no_wrap=True)  # whole, as it is to be copied
    table = Table(name, "Label", "Eenheid", "Slechter als", "Thema", "Bron", box=None)
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


@catalogue_app.command("check")
def check_catalogue(
    file: Annotated[Path, typer.Argument(help="The catalogue file of an own table (TOML).")],
) -> None:
    """Check an own catalogue file and its table, and show what the table holds."""
    _, table = load_own(file, load_catalogue())
    _print_frame(describe(table))


@app.command()
def verify(
    edition: Annotated[Path, typer.Argument(help="The folder of an edition, such as outputs/latest.")],
) -> None:
    """Check every file of an edition against its manifest and checksums."""
    count = verify_edition(edition)
    console.print(f"{edition}: {count} files are as the manifest says")


@app.command("rebuild")
def rebuild_edition(
    edition: Annotated[Path, typer.Argument(help="The folder of an edition, such as outputs/latest.")],
    own: Own = None,
    data: Data = DATA,
) -> None:
    """Make an edition again from its sources.lock; exit code 1 if a byte of it is another."""
    _log_stages()
    differing = rebuild(edition, data, own or ())
    for path in differing:
        console.print(path)
    if differing:
        raise typer.Exit(1)
    count = sum(path.is_file() for path in edition.rglob("*"))
    console.print(f"{edition}: all {count} files are the same, byte by byte")


@app.command()
def status(settings: File = None) -> None:
    """Tell how well an unattended server is: 0 good, 1 warning, 2 critical, 3 unknown, as monitors count."""
    try:
        user = load_settings(settings)
        runs = ask_scheduler()
    except SettingsError as error:
        print(f"{Health.UNKNOWN.name}: {error}")  # noqa: T201
        raise typer.Exit(Health.UNKNOWN) from None
    health, text = tell(look_at_shelf(user.edition.out), runs, user.schedule, datetime.now(UTC))
    print(text)  # noqa: T201
    raise typer.Exit(health)


@app.command()
def explain(
    code: Annotated[str, typer.Argument(help="The code of a buurt or wijk, such as BU05991087.")],
    sample: Sample = "",
    year: Year = 0,
    spec: Spec = "deltaplan",
    own: Own = None,
    data: Data = DATA,
) -> None:
    """Tell of one area its place, its reasons, its figures and what is missing."""
    level = level_of(code)
    if level not in {Level.BUURT, Level.WIJK}:
        raise ScoringError(f"{code} is no code of a buurt or wijk (BU and eight characters, WK and six)")
    settings = replace(asked(sample, year, data), own=tuple(own or ()))
    vocabulary = load_vocabulary(settings)
    known = vocabulary.catalogue
    declared = load_spec(spec, known)
    table = prepare(settings, vocabulary).tables[level]
    print(explained(code, rank_level(table, declared, declared, known), known))  # noqa: T201


@app.command()
def validate(sample: Sample = "", year: Year = 0, spec: Spec = "deltaplan", data: Data = DATA) -> None:
    """Hold a score against listed priority areas, and against outcomes that are left out of it."""
    settings = asked(sample, year, data)
    vocabulary = load_vocabulary(settings)
    known = vocabulary.catalogue
    table = prepare(settings, vocabulary).tables[Level.BUURT]
    declared = load_spec(spec, known)
    scores = score_table(table, declared, known)
    print(validate_scores(scores, table, declared, known, load_references()).to_markdown())  # noqa: T201


@app.command()
def score(
    sample: Sample = "",
    year: Year = 0,
    spec: Spec = "deltaplan",
    against: Annotated[str, typer.Option(help="Another specification to compare with.")] = "",
    level: Annotated[Level, typer.Option(help="Which areas to score.")] = Level.BUURT,
    own: Own = None,
    data: Data = DATA,
) -> None:
    """Score by a specification of your own, and see who gains and who loses by it."""
    settings = replace(asked(sample, year, data), own=tuple(own or ()))
    vocabulary = load_vocabulary(settings)
    known = vocabulary.catalogue
    table = prepare(settings, vocabulary).tables[level]
    after = score_table(table, load_spec(spec, known), known)
    names = table.areas["naam"]
    if not against:
        _print_frame(after.overview.sort_values("rang").round(2).assign(naam=names))
        return
    before = score_table(table, load_spec(against, known), known)
    comparison = compare(before, after, table.areas["gemeente_code"])
    moved = comparison.areas.sort_values(["verschuiving", "rang_na"], ascending=[False, True])
    _print_frame(moved.assign(naam=names))
    _print_frame(comparison.gemeenten.round(1))


@app.command("compare")
def compare_two(
    before: Annotated[Path, typer.Argument(help="The folder of the older edition.")],
    after: Annotated[Path, typer.Argument(help="The folder of the newer edition.")],
    own: Own = None,
    out: Beside = None,
    data: Data = DATA,
) -> None:
    """Tell who entered and left the list between two editions, and why: figures, boundaries or method."""
    found = compare_editions(before, after, data, own or ())
    print(changes.to_markdown(found))  # noqa: T201
    if out:
        with only_writer(out):
            changes.write_changes(found, folder := out / CHANGES / found.name, after)
            write_shelf(out)
        print(f"\n{folder / 'index.html'}")  # noqa: T201


@app.command()
def allocate(
    edition: Annotated[Path, typer.Argument(help="The folder of an edition, such as outputs/latest.")],
    scenarios: Annotated[
        Path | None, typer.Option(help="Your scenario file; without one, the examples.")
    ] = None,
    own: Own = None,
    out: Beside = None,
    data: Data = DATA,
) -> None:
    """Divide a total of your own, such as youth workers or euros, over areas by need and people."""
    found = divide(edition, scenarios, data, own or ())
    print(allocations.to_markdown(found))  # noqa: T201
    if out:
        name = scenarios.stem if scenarios else "voorbeelden"
        folder = out / ALLOCATIONS / found.manifest["edition"] / name
        with only_writer(out):
            allocations.write_divisions(found, folder, edition)
        print(f"\n{folder / 'index.html'}")  # noqa: T201


@app.command()
def serve(
    folder: Annotated[Path, typer.Argument(help="A shelf of editions, or one edition.")] = OUT,
    host: Annotated[
        str, typer.Option(help="Where to listen; others can reach any but 127.0.0.1.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes any that is free.")] = 8000,
) -> None:
    """Look at editions in a browser on this machine, until Ctrl-C."""
    with make_server(folder, host=host, port=port) as server:
        print(address_of(server), flush=True)  # noqa: T201
        with suppress(KeyboardInterrupt):
            server.serve_forever()


def _log_stages() -> None:
    """Tell on stderr what each stage made."""
    logging.basicConfig(format="%(message)s", force=True)  # in place of what a library set at its import
    logging.getLogger("wijkatlas").setLevel(logging.INFO)


def _print_frame(frame: pd.DataFrame) -> None:
    """Print a frame as tab-separated text."""
    print(frame.to_csv(sep="\t", index_label=str(frame.index.name or "code")).rstrip())  # noqa: T201
