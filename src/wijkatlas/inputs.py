"""What a run is asked to make, and the figures that it is made from."""

from dataclasses import dataclass, replace
from pathlib import Path

from wijkatlas.assemble import Assembly, assemble
from wijkatlas.catalog import Catalogue, load_catalogue
from wijkatlas.errors import SettingsError, SnapshotError, some
from wijkatlas.scoring.spec import ScoreSpec
from wijkatlas.settings import UserSettings
from wijkatlas.snapshots import Lock, SnapshotStore, read_model
from wijkatlas.sources import Sources, SourceTable, read_sources
from wijkatlas.sources.own_table import load_own


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


def read(settings: Settings, vocabulary: Vocabulary) -> Sources:
    """Read the snapshots that the lock names, and lay the own tables beside them."""
    store = SnapshotStore(settings.store)
    lock = read_model(Lock, settings.lock) if settings.lock else store.lock()
    sources = read_sources(store, lock, load_catalogue(), settings.year)
    return replace(sources, tables=sources.tables | vocabulary.own)


def prepare(settings: Settings, vocabulary: Vocabulary) -> Assembly:
    """Read and assemble the figures of these settings, and score nothing yet."""
    return assemble(read(settings, vocabulary), vocabulary.catalogue)
