"""The real buurten of 2024 as the contents of an edition, with wijken and gemeenten made from them."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd

from national import buurten_2024, national_catalogue
from wijkatlas.areas import Level, LevelTable, Status
from wijkatlas.assemble import aggregate, divide
from wijkatlas.catalog import Catalogue
from wijkatlas.catalog.references import load_references
from wijkatlas.geometry import clean_coverage
from wijkatlas.publish import Contents
from wijkatlas.scoring.assessment import Ranked, assess, examine
from wijkatlas.scoring.spec import ScoreSpec
from wijkatlas.snapshots import Snapshot, sha256
from wijkatlas.sources import Sources

DATE = date(2024, 12, 31)


def national_tables(
    national: Path, catalogue: Catalogue, gemeenten: int, each: int | None = None
) -> tuple[dict[Level, LevelTable], ScoreSpec]:
    """
    Return the tables of the gemeenten with the most buurten, and the specification that they can bear.

    Of each gemeente there are at most `each` buurten; without a number, all.
    """
    buurten, spec = buurten_2024(national)
    largest = buurten.areas["gemeente_code"].value_counts().sort_index().nlargest(gemeenten).index
    chosen = buurten.areas["gemeente_code"].isin(largest)
    if each:
        chosen &= buurten.areas.groupby("gemeente_code").cumcount() < each
    codes = buurten.values.index[chosen]
    names = list(catalogue.indicators)
    areas = buurten.areas.loc[codes]
    fillings = {"status": Status.NOT_CARRIED.value, "parts_missing": 0}
    cells = {
        name: getattr(buurten, name).loc[codes].reindex(columns=names, fill_value=fillings.get(name))
        for name in ("values", "denominators", "status", "peiljaar", "parts_missing")
    }
    whole = replace(
        buurten,
        areas=areas.set_geometry(clean_coverage(areas.geometry.to_numpy()), crs=areas.crs),
        **cells | {"peiljaar": cells["peiljaar"].astype("Int16")},
    )
    divisions = divide(whole.areas)
    parents = {
        level: aggregate(whole, whole.values, divisions[level], level, catalogue)
        for level in (Level.WIJK, Level.GEMEENTE)
    }
    return {Level.BUURT: whole, **parents}, spec


def national_contents(
    national: Path, tables: dict[Level, LevelTable], spec: ScoreSpec, catalogue: Catalogue
) -> Contents:
    """Score the tables, and return what an edition of them is written from."""
    assessments = assess(tables, spec, spec, catalogue)
    buurten = assessments[Level.BUURT]
    assert isinstance(buurten, Ranked)
    return Contents(
        id="nederland-2024-proef",
        title="Nederland 2024",
        year=2024,
        date=DATE.isoformat(),
        sample="",
        catalogue=catalogue,
        spec=spec,
        variant=spec,
        assessments=assessments,
        analysis=examine(buurten, spec, catalogue, load_references()),
        sources=Sources(2024, {}, tables[Level.BUURT].areas, (), _snapshots(national)),
        unmatched=pd.DataFrame(columns=["source", "table", "code"]),
        changes=pd.DataFrame(),
    )


def _snapshots(national: Path) -> tuple[Snapshot, ...]:
    """Describe the set as the snapshot of each source that it was made from."""
    content = (national / "buurten_2024.parquet").read_bytes()
    sources = national_catalogue().sources
    return tuple(
        Snapshot(
            source=source,
            table="2024",
            part="buurten",
            format="csv",
            sha256=sha256(content),
            address="https://example.org/buurten_2024.parquet",
            licence=sources[source].licence,
            attribution=sources[source].attribution,
            retrieved=DATE,
            size=len(content),
        )
        for source in ("grenzen", "kwb", "leefbaarometer")
    )
