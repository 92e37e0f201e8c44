"""Method: what the page on the method says, from specification, catalogue and analysis."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from wijkatlas.catalog import Source
from wijkatlas.catalog.references import load_references
from wijkatlas.publish.cards import records
from wijkatlas.publish.charts import Axis
from wijkatlas.publish.contents import Contents
from wijkatlas.publish.rankings import Ranking, count


def method_of(contents: Contents, levels: Sequence[Ranking]) -> dict[str, Any]:
    """Return all that the page on the method shows of an edition; `levels` has the buurten first."""
    buurten = levels[0].assessment
    scores, spec = buurten.scores, buurten.scores.spec
    shown = (i for i in contents.catalogue.indicators.values() if i.id in levels[0].frame)
    total = sum(domain.weight for domain in spec.domains)
    return {
        "levels": levels,
        "spec": spec,
        "shares": [(domain, domain.weight / total) for domain in spec.domains],
        "absent": scores.absent,
        "context": [indicator for indicator in shown if indicator.id not in spec.shares],
        "years": {name: _years(buurten.table.peiljaar[name]) for name in spec.shares},
        "reasons": sorted({reason for level in levels for reason in level.reasons}),
        "treated": count(scores.treated["indicator"]),
        "sources": list(_sources(contents)),
    } | _examined(contents)


def _examined(contents: Contents) -> dict[str, Any]:
    """Return what the page on the method says of the score itself."""
    analysis, references = contents.analysis, load_references()
    lists = analysis.validation.lists.reset_index().to_dict("records")
    checks = analysis.validation.held_out.reset_index().to_dict("records")
    return {
        "unit": Axis(0, 1),
        "choices_moved": records(analysis.choices.sort_values("total", ascending=False).reset_index()),
        "left_out": analysis.left_out.sort_values("mean_shift", ascending=False).to_dict("records"),
        "shifts": Axis(0, float(analysis.left_out["mean_shift"].max())),
        "lists": [(references.lists[found["lijst"]], found) for found in lists],
        "apart": _apart(analysis.without_housing.areas),
        "held_out": [check | {"note": references.held_out[check["toets"]].note} for check in checks],
    }


def _years(peiljaar: pd.Series) -> str:
    """Write the years that a figure describes: mostly one."""
    return ", ".join(f"{year:.0f}" for year in sorted(peiljaar.dropna().unique()))


def _sources(contents: Contents) -> Iterator[tuple[Source, list[str], str]]:
    """Yield each source with the tables that were read and the day of the newest; an own table has no day."""
    for source in contents.credits:
        fetched = [snapshot for snapshot in contents.sources.snapshots if snapshot.source == source.id]
        tables = {snapshot.table for snapshot in fetched} or set(source.tables.values())
        yield source, sorted(tables), max((s.retrieved.isoformat() for s in fetched), default="")


def _apart(areas: pd.DataFrame) -> dict[str, float]:
    """Sum up how the variant differs: areas that join and leave the top, and the mean shift in places."""
    before, after = areas["top10_voor"], areas["top10_na"]
    return {
        "joined": int((after & ~before).sum()),
        "left": int((before & ~after).sum()),
        "shift": float(areas["verschuiving"].abs().mean()),
    }
