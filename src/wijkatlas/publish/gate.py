"""The gate before the shelf: an edition that cannot be right is not published; the last one stays."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from wijkatlas.areas import Level
from wijkatlas.catalog.models import GateRules
from wijkatlas.errors import PublishError, some
from wijkatlas.publish.columns import fields
from wijkatlas.publish.contents import Contents
from wijkatlas.publish.manifest import read_manifest


@dataclass(frozen=True)
class Last:
    """The last edition of the same region, as it was published."""

    folder: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What it was made from."""
        return read_manifest(self.folder)

    def table(self, level: Level) -> pd.DataFrame:
        """Return its published table of a level by code, without shapes."""
        path = self.folder / "downloads" / f"{level.plural}.parquet"
        names = [name for name in pq.read_schema(path).names if name not in {"geometry", "bbox"}]
        table: pd.DataFrame = pq.read_table(path, columns=names).to_pandas()
        return table.set_index(f"{level}_code", drop=False)


def check(contents: Contents, last: Path) -> None:
    """
    Refuse an edition that differs from the last one in a way that the world cannot explain.

    Parameters
    ----------
    last
        The folder of the last edition of the same region, of the same or an earlier peiljaar.

    Raises
    ------
    PublishError
        Naming every objection; thresholds are those of `catalog/rules.toml`, under `gate`.
    """
    found = list(objections(contents, Last(last)))
    if found:
        raise PublishError(
            f"{contents.id} is not published, {last.name} stays: {'; '.join(found)}. "
            "If this is right all the same, publish it with --force"
        )


def objections(contents: Contents, last: Last) -> Iterator[str]:
    """Yield what speaks against publishing, in words."""
    yield from _older_sources(contents, last)
    rules = contents.catalogue.rules.gate
    same_year = last.manifest["peiljaar"] == contents.year
    same_method = last.manifest["specification"] == contents.spec.model_dump(mode="json", by_alias=True)
    inputs = [name for i in contents.spec.indicators for name in (i.id, i.fallback) if name]
    for level, frame in contents.frames.items():
        before = last.table(level)
        yield from _lost_areas(frame, before, level, rules.areas_lost if same_year else rules.areas_redrawn)
        yield from _emptied_columns(contents, frame, before, level)
        if "rang" in frame:
            yield from _lost_scores(frame, before, level, rules)
            if same_method:
                yield from _unexplained_ranks(frame, before, level, inputs, rules)


def _older_sources(contents: Contents, last: Last) -> Iterator[str]:
    """Object to a source older than the last edition's: this is another store, or one that was put back."""
    now = _newest((s.source, s.retrieved.isoformat()) for s in contents.sources.snapshots)
    before = _newest((s["source"], s["retrieved"]) for s in last.manifest["sources"])
    for source in sorted(now.keys() & before.keys()):
        if now[source] < before[source]:
            yield f"{source} is of {now[source]}, older than the {before[source]} of the last edition"


def _newest(retrieved: Iterable[tuple[str, str]]) -> dict[str, str]:
    return dict(sorted(retrieved))  # the last of each source wins


def _lost_areas(frame: pd.DataFrame, before: pd.DataFrame, level: Level, most: float) -> Iterator[str]:
    lost = before.index.difference(frame.index)
    if len(lost) > most * len(before):
        yield f"{len(lost)} of {len(before)} {level.plural} are gone ({some(lost)})"


def _lost_scores(frame: pd.DataFrame, before: pd.DataFrame, level: Level, rules: GateRules) -> Iterator[str]:
    now, then = int(frame["rang"].count()), int(before["rang"].count())
    if now < (1 - rules.scores_lost) * then:
        yield f"only {now} {level.plural} have a score, {then} had one"


def _emptied_columns(
    contents: Contents, frame: pd.DataFrame, before: pd.DataFrame, level: Level
) -> Iterator[str]:
    """Object to a column that is gone, or that has lost (nearly) all its figures."""
    gone = before.columns.difference(frame.columns)
    if len(gone):
        yield f"columns of {level.plural} have disappeared: {some(gone)}"
    ended = {i.id for i in contents.catalogue.indicators.values() if not i.stems(contents.year)}
    # A text tells what is the matter with an area: it may well be empty.
    figures = [f.name for f in fields(contents.catalogue, level) if f.type != "text" and f.name not in ended]
    held = [name for name in figures if name in before and name in frame]
    now, then = frame[held].notna().mean(), before[held].notna().mean()
    emptied = now.index[now < contents.catalogue.rules.gate.column_emptied * then]
    if len(emptied):
        yield f"columns of {level.plural} are suddenly empty: {some(emptied)}"


def _unexplained_ranks(
    frame: pd.DataFrame, before: pd.DataFrame, level: Level, inputs: Iterable[str], rules: GateRules
) -> Iterator[str]:
    """Object where areas leave their old rank interval though their own figures hardly moved."""
    both = before.index[before["rang"].notna()].intersection(frame.index[frame["rang"].notna()])
    now, then = frame.loc[both], before.loc[both]
    held = [name for name in inputs if name in frame and name in before]
    moved = (now[held] - then[held]).abs() / then[held].std()
    appeared = now[held].isna() != then[held].isna()
    steady = both[~(appeared | (moved > rules.steady_figure)).any(axis=1)]
    outside = (now["rang"] < then["rang_p05"]) | (now["rang"] > then["rang_p95"])
    leapt = steady[outside[steady].to_numpy(bool)]
    if len(steady) >= rules.steady_areas and len(leapt) > rules.ranks_unexplained * len(steady):
        yield (
            f"{len(leapt)} of {len(steady)} {level.plural} whose figures hardly moved "
            f"left the 90% interval of their rank ({some(leapt)})"
        )
