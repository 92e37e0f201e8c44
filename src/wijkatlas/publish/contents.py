"""What an edition is made of, as the writers of files need it."""

import unicodedata
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import pandas as pd

from wijkatlas.areas import Level
from wijkatlas.catalog import Catalogue, Source
from wijkatlas.catalog.publication import load_publication
from wijkatlas.publish.columns import published
from wijkatlas.scoring.assessment import Analysis, Assessment
from wijkatlas.scoring.spec import ScoreSpec
from wijkatlas.sources import Sources


@dataclass(frozen=True)
class Contents:
    """One edition, ready to be written."""

    id: str
    title: str
    year: int
    date: str  # the newest snapshot's: an edition carries no clock of its own
    sample: str  # the municipality that a sample edition is limited to; empty for the country
    catalogue: Catalogue
    spec: ScoreSpec
    variant: ScoreSpec
    assessments: dict[Level, Assessment]
    analysis: Analysis
    sources: Sources
    unmatched: pd.DataFrame  # source, table, code: rows whose area is not in the division
    changes: pd.DataFrame  # boundaries that changed since the years of older figures: `Crosswalk.ledger`

    @cached_property
    def frames(self) -> dict[Level, gpd.GeoDataFrame]:
        """The published table of each level, ranked (EPSG:28992)."""
        return {
            level: published(assessment, self.catalogue) for level, assessment in self.assessments.items()
        }

    @property
    def credits(self) -> tuple[Source, ...]:
        """The sources that went into this edition, each to be credited in every output."""
        used = {snapshot.source for snapshot in self.sources.snapshots} | self.sources.tables.keys()
        return tuple(source for source in self.catalogue.sources.values() if source.id in used)

    @property
    def terms(self) -> dict[str, str]:
        """Source and licence, as every download carries them in its own place."""
        licence = load_publication().licence
        return {
            "bron": "; ".join(f"{source.attribution} ({source.licence})" for source in self.credits),
            "bewerking": f"{load_publication().publisher.name}, uitgave {self.id}",
            "licentie": f"{licence.label}, {licence.url}",
        }

    @property
    def notice(self) -> str:
        """Source and licence in one line."""
        return ". ".join(f"{name.capitalize()}: {value}" for name, value in self.terms.items())


def folder_name(code: str, name: str) -> str:
    """Return `GM0599-rotterdam`: the code, and the name in what every file system and address can carry."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "".join(c if c.isalnum() else " " for c in plain).split()
    return "-".join([code, *words])[:60]
