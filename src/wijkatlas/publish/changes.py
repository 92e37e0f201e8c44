"""What changed between two editions, as a page, as columns and in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from wijkatlas.areas import Level
from wijkatlas.catalog import Source
from wijkatlas.publish import dutch
from wijkatlas.publish.beside import write_beside
from wijkatlas.publish.cards import records
from wijkatlas.scoring.moves import Cause

LARGEST = 20  # moves that the page shows
COLUMNS = (
    "naam", "gemeente_code", "gemeente_naam", "vorige_code", "vorige_naam",
    "rang_voor", "rang_p05_voor", "rang_p95_voor", "rang_na", "rang_p05_na", "rang_p95_na",
    "verschuiving", *(cause.value for cause in Cause), "binnen_marge",
    "lijst_voor", "lijst_na", "oorzaak", "reden_niet_gescoord_voor", "reden_niet_gescoord_na",
)  # fmt: skip


@dataclass(frozen=True)
class LevelChanges:
    """
    One level in two editions.

    `areas` has the columns of `Moves.areas` and the published names, margins and reasons of both editions, by
    code in the new division; `gone` those of `Moves.gone` and names, by old code.
    """

    level: Level
    areas: pd.DataFrame
    gone: pd.DataFrame

    @property
    def frame(self) -> pd.DataFrame:
        """The published columns, by new rank, then code."""
        areas = self.areas.sort_index().assign(binnen_marge=self.within_margin)
        named = areas[list(COLUMNS)].rename(columns={"naam": f"{self.level}_naam"})
        return named.rename_axis(f"{self.level}_code").sort_values("rang_na", kind="stable").reset_index()

    @property
    def within_margin(self) -> pd.Series:
        """Whether each rank lies within the other edition's margin, so that the move may be chance."""
        areas = self.areas
        inside = areas["rang_na"].between(areas["rang_p05_voor"], areas["rang_p95_voor"])
        return inside & areas["rang_voor"].between(areas["rang_p05_na"], areas["rang_p95_na"])

    @property
    def entered(self) -> pd.DataFrame:
        """The areas that are on the list now and were not."""
        frame = self.frame
        return frame[frame["lijst_na"] & ~frame["lijst_voor"]]

    @property
    def left(self) -> pd.DataFrame:
        """The areas that were on the list and are not any more, by former rank."""
        frame = self.frame
        left = frame[frame["lijst_voor"] & ~frame["lijst_na"]]
        return left.sort_values("rang_voor", kind="stable")

    @property
    def stayed(self) -> int:
        """How many areas were on the list and still are."""
        return int((self.areas["lijst_voor"] & self.areas["lijst_na"]).sum())

    @property
    def largest(self) -> pd.DataFrame:
        """The areas that moved most, largest move first."""
        frame = self.frame[self.frame["verschuiving"].fillna(0) != 0]
        return frame.loc[
            frame["verschuiving"].abs().sort_values(ascending=False, kind="stable").index[:LARGEST]
        ]

    @property
    def causes(self) -> pd.DataFrame:
        """By cause: gebieden (how many it moved), and middelste and grootste of all moves, in places."""
        parts = self.areas[[cause.value for cause in Cause]].dropna().astype(int).abs()
        return pd.DataFrame(
            {"gebieden": (parts > 0).sum(), "middelste": parts.median(), "grootste": parts.max()}
        )

    @property
    def compared(self) -> int:
        """How many areas have a rank in both editions."""
        return int(self.areas["verschuiving"].notna().sum())


@dataclass(frozen=True)
class Changes:
    """Two editions of one region beside each other."""

    before: Mapping[str, Any]  # the manifests
    after: Mapping[str, Any]
    levels: dict[Level, LevelChanges]
    sources: tuple[Source, ...]  # of either edition

    @property
    def name(self) -> str:
        """What the comparison is called on a shelf: it follows from the two editions."""
        return f"{self.before['edition']}--{self.after['edition']}"


def write_changes(changes: Changes, place: Path, edition: Path) -> None:
    """
    Write the comparison: a page, and for each level its table.

    A comparison is no part of the newer edition, which is the same whatever stood on the shelf before it.

    Parameters
    ----------
    changes
        What to write.
    place
        Where to: `<shelf>/wijzigingen/<name>`.
    edition
        The folder of the newer edition.

    Raises
    ------
    PublishError
        It could not be written.
    """
    levels = changes.levels.values()
    write_beside(
        place,
        edition,
        changes.after,
        changes.sources,
        {level.level.plural: level.frame for level in levels},
        "wijzigingen.html",
        before=changes.before,
        causes=list(Cause),
        records=records,
        levels=list(levels),
    )


def to_markdown(changes: Changes) -> str:
    """Tell in Dutch who came, who went, and what moved the ranks."""
    lines = [f"# {changes.before['title']} en {changes.after['title']}", ""]
    lines += [f"Van `{changes.before['edition']}` naar `{changes.after['edition']}`.", ""]
    for level in changes.levels.values():
        counts = f"Gebleven: {level.stayed}; erbij: {len(level.entered)}; eraf: {len(level.left)}"
        lines += [f"## {level.level.plural.capitalize()}", ""]
        lines += [f"{counts}. Met een plaats in beide: {dutch.number(level.compared)}.", ""]
        lines += [
            "| Oorzaak | Gebieden verschoven | Middelste verschuiving | Grootste |",
            "|---|---|---|---|",
        ]
        for cause, row in level.causes.iterrows():
            count, middle, most = (
                dutch.number(row[name], 1 if name == "middelste" else 0) for name in row.index
            )
            lines.append(f"| {cause} | {count} | {middle} | {most} |")
        for title, frame in (
            ("Erbij", level.entered),
            ("Eraf", level.left),
            ("Verst verschoven", level.largest),
        ):
            lines += ["", f"### {title}", "", *_rows(frame, level.level)] if len(frame) else []
        lines.append("")
    return "\n".join(lines).rstrip()


def _rows(frame: pd.DataFrame, level: Level) -> Iterator[str]:
    yield "| Code | Naam | Was (90%) | Nu (90%) | Verschuiving | " + " | ".join(Cause) + " | Erop of eraf |"
    yield "|---" * (6 + len(Cause)) + "|"
    for row in records(frame):
        parts = [row["verschuiving"], *(row[cause] for cause in Cause)]
        cells = [
            row[f"{level}_code"],
            row[f"{level}_naam"],
            *(_place(row, side) for side in ("voor", "na")),
            *("-" if part is None else dutch.signed(part) for part in parts),
            row["oorzaak"] or "-",
        ]
        yield f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _place(row: Mapping[str, Any], side: str) -> str:
    if row[f"rang_{side}"] is None:
        return row[f"reden_niet_gescoord_{side}"] or "-"
    return f"{row[f'rang_{side}']} ({row[f'rang_p05_{side}']}-{row[f'rang_p95_{side}']})"
