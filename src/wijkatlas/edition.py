"""Settings in, edition out: the stages and their order, written once."""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from wijkatlas import __version__
from wijkatlas.areas import Level
from wijkatlas.assemble import Assembly, assemble
from wijkatlas.catalog import Catalogue
from wijkatlas.catalog.references import load_references
from wijkatlas.compare import compare_lists
from wijkatlas.errors import WijkatlasError
from wijkatlas.inputs import Settings, Vocabulary, load_vocabulary, read
from wijkatlas.publish import write_contents
from wijkatlas.publish.changes import Changes, write_changes
from wijkatlas.publish.contents import Contents
from wijkatlas.publish.gate import check
from wijkatlas.publish.manifest import read_manifest
from wijkatlas.publish.release import (
    CHANGES,
    EDITIONS,
    is_shelved,
    last_edition,
    only_writer,
    prune,
    shelved,
)
from wijkatlas.publish.shelf import write_shelf
from wijkatlas.replay import Replayed, replay
from wijkatlas.scoring.assessment import Analysis, Assessment, Ranked, assess, examine
from wijkatlas.scoring.spec import ScoreSpec, load_spec
from wijkatlas.settings import UserSettings
from wijkatlas.snapshots import Lock, SnapshotStore, sha256
from wijkatlas.sources import Sources
from wijkatlas.sources.fetch import fetch_all

log = logging.getLogger("wijkatlas")
P = ParamSpec("P")
T = TypeVar("T")


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

    It is laid beside the edition that it succeeds, if that stays; what is found stands beside both, so that
    an edition has the same bytes whatever came before it.

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
        last = last_edition(settings.out, settings.sample, settings.year)
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
        folder = perform(publish, contents, settings, last)
        tidy(settings)
        if last and last.exists():
            made = Replayed(folder, read_manifest(folder), spec, assembly.tables, catalogue)
            perform(compare, last, made, settings)
        return folder


def fetch(settings: Settings, user: UserSettings, catalogue: Catalogue) -> Lock:
    """Bring the store up to date with the sources."""
    return fetch_all(SnapshotStore(settings.store), catalogue, settings.year, user)


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


def publish(contents: Contents, settings: Settings, last: Path | None) -> Path:
    """Pass the gate that the last edition keeps, write an edition aside, check it, and shelve it."""
    if last and not settings.force:
        check(contents, last)
    with shelved(settings.out, contents.id) as aside:
        write_contents(contents, aside)
    return settings.out / EDITIONS / contents.id


def tidy(settings: Settings) -> None:
    """Keep as many editions as was asked, and list them."""
    prune(settings.out, settings.keep)
    write_shelf(settings.out)


def compare(last: Path, made: Replayed, settings: Settings) -> Changes | None:
    """Tell what changed since the last edition; where that cannot be told, the new one still stands."""
    try:
        changes = compare_lists(replay(last, settings.store, settings.own), made)
        write_changes(changes, settings.out / CHANGES / changes.name, made.folder)
        write_shelf(settings.out)
    except WijkatlasError as error:
        log.warning("%s is not compared with %s: %s", made.folder.name, last.name, error)
        return None
    return changes


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
        case Changes():
            told = ", ".join(f"{len(c.entered)} {c.level.plural} came" for c in result.levels.values())
        case Path():
            told = f"{len(read_manifest(result)['files'])} files in {result}"
        case _:
            told = ""
    return told
