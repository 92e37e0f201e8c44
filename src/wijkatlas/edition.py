"""Settings in, edition out: the stages and their order, written once."""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from wijkatlas import __version__
from wijkatlas.areas import Level
from wijkatlas.assemble import Assembly, assemble
from wijkatlas.catalog import Catalogue, load_catalogue
from wijkatlas.catalog.references import load_references
from wijkatlas.errors import SettingsError, SnapshotError, some
from wijkatlas.publish import write_contents
from wijkatlas.publish.contents import Contents
from wijkatlas.publish.gate import check
from wijkatlas.publish.manifest import read_manifest
from wijkatlas.publish.release import (
    EDITIONS,
    is_shelved,
    last_edition,
    only_writer,
    prune,
    written_aside,
)
from wijkatlas.publish.shelf import write_shelf
from wijkatlas.scoring.assessment import Analysis, Assessment, Ranked, assess, examine
from wijkatlas.scoring.spec import ScoreSpec, load_spec
from wijkatlas.settings import UserSettings
from wijkatlas.snapshots import Lock, SnapshotStore, read_model, sha256
from wijkatlas.sources import Sources, SourceTable, read_sources
from wijkatlas.sources.fetch import fetch_all
from wijkatlas.sources.own_table import load_own

log = logging.getLogger("wijkatlas")
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Settings:
    """What one run is asked to make, from which snapshots and where to."""

    year: int
    store: Path
    out: Path
    sample: str = ""  # the municipality that the snapshots are limited to
    spec: str | ScoreSpec = "deltaplan"  # a name, a file, or the specification itself
    variant: str | ScoreSpec = "deltaplan-zonder-wonen"
    fetch_by: UserSettings | None = None  # how the store is brought up to date first; None: it is as it is
    lock: Path | None = None  # of an old edition that is made again; None: the store's own
    own: tuple[Path, ...] = ()  # catalogue files of a municipality's own tables
    force: bool = False  # publish whatever the gate has against it
    keep: int | None = None  # editions of this region that stay on the shelf; None: all


def sample_settings(name: str, *, data: Path, out: Path) -> Settings:
    """
    Return the settings of a run on an embedded sample, `<data>/sample/<name>-<year>`.

    Raises
    ------
    SnapshotError
        There is no such sample.
    """
    samples = {path.name: path for path in sorted((data / "sample").glob("*-[0-9][0-9][0-9][0-9]"))}
    found = [path for folder, path in samples.items() if folder[:-5] == name]
    if not found:
        offer = some(folder[:-5] for folder in samples) or "none"
        raise SnapshotError(f"no sample {name!r} in {data / 'sample'}; there is: {offer}")
    return Settings(year=int(found[-1].name[-4:]), store=found[-1], out=out, sample=name.capitalize())


def chosen_settings(user: UserSettings) -> Settings:
    """
    Return the settings of the run that `[edition]` in `wijkatlas.toml` asks for.

    Raises
    ------
    SettingsError
        It asks for neither a sample nor a year, or for both.
    SnapshotError
        There is no such sample.
    """
    asked = user.edition
    if asked.sample and asked.year is None:
        settings = sample_settings(asked.sample, data=asked.data, out=asked.out)
        return replace(settings, spec=asked.spec, variant=asked.variant, own=asked.own, keep=asked.keep)
    if asked.year and not asked.sample:
        return Settings(
            asked.year,
            asked.data / "raw",
            asked.out,
            spec=asked.spec,
            variant=asked.variant,
            own=asked.own,
            keep=asked.keep,
            fetch_by=user,
        )
    raise SettingsError("edition: give either `sample`, to make a sample, or `year`, to fetch the country")


@dataclass(frozen=True)
class Vocabulary:
    """The catalogue, extended with a municipality's own tables, and these tables."""

    catalogue: Catalogue
    own: dict[str, SourceTable]  # by source id


def load_vocabulary(settings: Settings) -> Vocabulary:
    """
    Read the catalogue and the own tables that these settings name.

    Raises
    ------
    CatalogueError, SourceError
        An own catalogue file or its table is wrong.
    """
    catalogue = load_catalogue()
    own: dict[str, SourceTable] = {}
    for file in settings.own:
        catalogue, table = load_own(file, catalogue)
        own[table.source] = table
    return Vocabulary(catalogue, own)


def prepare(settings: Settings, vocabulary: Vocabulary) -> Assembly:
    """Read and assemble the figures of these settings, and score nothing yet."""
    return assemble(read(settings, vocabulary), vocabulary.catalogue)


class Perform(Protocol):
    """How a stage is carried out: plainly here, as a Prefect task in `flows/`."""

    def __call__(self, stage: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Carry out one stage and return its result."""


def perform(stage: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Carry out one stage, with one line in the log: its name, what came of it, and the seconds."""
    start = time.perf_counter()
    result = stage(*args, **kwargs)
    told = {"stage": stage.__name__, "made": describe(result), "seconds": time.perf_counter() - start}
    log.info("%(stage)-8s %(made)s (%(seconds).1f s)", told, extra=told)  # by name for logs in JSON
    return result


def make_edition(settings: Settings, *, perform: Perform = perform) -> Path:
    """
    Make the edition that these settings and snapshots lead to, unless it stands on the shelf already.

    Returns
    -------
    folder
        `<out>/editions/<id>`; `<out>/latest` points at it.

    Raises
    ------
    WijkatlasError
        Saying what is wrong; the shelf is as it was.
    """
    vocabulary = load_vocabulary(settings)
    catalogue = vocabulary.catalogue
    spec, variant = (
        given if isinstance(given, ScoreSpec) else load_spec(given, catalogue)
        for given in (settings.spec, settings.variant)
    )
    with only_writer(settings.out):
        if settings.fetch_by:
            perform(fetch, settings, settings.fetch_by, catalogue)
        sources = perform(read, settings, vocabulary)
        edition = identify(settings, vocabulary, sources, spec, variant)
        if is_shelved(settings.out, edition):
            log.info("no news: %s stands on the shelf", edition)
            tidy(settings)
            return settings.out / EDITIONS / edition
        assembly = perform(assemble, sources, catalogue)
        assessments = perform(score, assembly, spec, variant, catalogue)
        analysis = perform(analyse, assessments, spec, catalogue)
        contents = Contents(
            id=edition,
            title=f"{settings.sample or 'Nederland'} {settings.year}",
            year=settings.year,
            date=max(snapshot.retrieved for snapshot in sources.snapshots).isoformat(),
            sample=settings.sample,
            catalogue=catalogue,
            spec=spec,
            variant=variant,
            assessments=assessments,
            analysis=analysis,
            sources=sources,
            unmatched=assembly.unmatched,
            changes=assembly.changes,
        )
        folder = perform(publish, contents, settings)
        tidy(settings)
        return folder


def fetch(settings: Settings, user: UserSettings, catalogue: Catalogue) -> Lock:
    """Bring the store up to date with the sources."""
    return fetch_all(SnapshotStore(settings.store), catalogue, settings.year, user)


def read(settings: Settings, vocabulary: Vocabulary) -> Sources:
    """Read the snapshots that the lock names, and lay the own tables beside them."""
    store = SnapshotStore(settings.store)
    lock = read_model(Lock, settings.lock) if settings.lock else store.lock()
    sources = read_sources(store, lock, load_catalogue(), settings.year)
    return replace(sources, tables=sources.tables | vocabulary.own)


def score(
    assembly: Assembly, spec: ScoreSpec, variant: ScoreSpec, catalogue: Catalogue
) -> dict[Level, Assessment]:
    """Assess every level."""
    return assess(assembly.tables, spec, variant, catalogue)


def analyse(assessments: Mapping[Level, Assessment], spec: ScoreSpec, catalogue: Catalogue) -> Analysis:
    """Examine the score of the buurten."""
    buurten = assessments[Level.BUURT]
    if not isinstance(buurten, Ranked):
        raise TypeError("buurten are always ranked")
    return examine(buurten, spec, catalogue, load_references())


def publish(contents: Contents, settings: Settings) -> Path:
    """Pass the gate, write an edition aside, check it, and put it on the shelf."""
    last = last_edition(settings.out, contents.sample, contents.year)
    if last and not settings.force:
        check(contents, last)
    with written_aside(settings.out, contents.id) as aside:
        write_contents(contents, aside)
    return settings.out / EDITIONS / contents.id


def tidy(settings: Settings) -> None:
    """Keep as many editions as was asked, and list them."""
    if settings.keep is not None:
        prune(settings.out, settings.keep)
    write_shelf(settings.out)


def identify(
    settings: Settings, vocabulary: Vocabulary, sources: Sources, spec: ScoreSpec, variant: ScoreSpec
) -> str:
    """Name the edition after all that decides its bytes: snapshots, own tables, specifications, program."""
    digest = hashlib.sha256(program_digest().encode())
    decisive = [
        *(spec.model_dump_json() for spec in (spec, variant)),
        *(snapshot.sha256 for snapshot in sources.snapshots),
        vocabulary.catalogue.model_dump_json(),
        *(table.frame.to_csv() for table in vocabulary.own.values()),
    ]
    for part in decisive:
        digest.update(sha256(part.encode()).encode())
    region = settings.sample.lower() or "nederland"
    return f"{region}-{settings.year}-{spec.id}-{digest.hexdigest()[:8]}"


def program_digest() -> str:
    """Return the SHA-256 over the package's own files: code, catalogue and templates."""

    def walk(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
        found = []
        for entry in folder.iterdir():
            if entry.is_dir():
                found += walk(entry, f"{prefix}{entry.name}/") if entry.name != "__pycache__" else []
            else:
                found.append((prefix + entry.name, entry))
        return found

    digest = hashlib.sha256(__version__.encode())
    for name, file in sorted(walk(files("wijkatlas"), ""), key=lambda pair: pair[0]):
        digest.update(name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def describe(result: object) -> str:
    """Say in a few words what a stage made."""
    match result:
        case Lock():
            told = f"{len(result.snapshots)} snapshots are the newest state of the sources"
        case Sources():
            told = f"{len(result.snapshots)} snapshots, {len(result.boundaries)} buurten with a boundary"
        case Assembly():
            told = ", ".join(f"{len(t.values)} {level}" for level, t in result.tables.items())
        case dict():
            ranked = {
                level: a.scores.overview["rang"] for level, a in result.items() if isinstance(a, Ranked)
            }
            told = ", ".join(f"{ranks.notna().sum()} {level} scored" for level, ranks in ranked.items())
        case Analysis():
            lists = result.validation.lists
            told = f"{lists['enkele'].sum()} of {lists['getoetst'].sum()} listed areas reach the top"
        case Path():
            told = f"{len(read_manifest(result)['files'])} files in {result}"
        case _:
            told = ""
    return told
