"""Checks against the world: listed priority areas, and outcomes that were left out of the score."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

from wijkatlas.areas import Level, LevelTable
from wijkatlas.catalog import Catalogue
from wijkatlas.catalog.references import HeldOut, ReferenceArea, References
from wijkatlas.errors import ScoringError
from wijkatlas.scoring.score import Scores, score
from wijkatlas.scoring.sensitivity import in_top
from wijkatlas.scoring.spec import ScoreSpec

CAVEAT = (
    "Een controle, geen bewijs: anderen maakten de lijsten, en de codes erbij zijn op naam gezocht. "
    "Een genoemde wijk staat voor haar buurten; tussen wijken staat een genoemde buurt voor haar wijk."
)
DECILES = range(1, 11)
DIGITS = {Level.BUURT: 8, Level.WIJK: 6}  # of a code, behind its letters; a buurt's begin with its wijk's


@dataclass(frozen=True)
class Validation:
    """
    How a score stands against the world. Sanity checks, not proof.

    `recall` has a row a listed area: `lijst`, `naam`, `gemeente_code`; `gebieden` found in the table,
    `gescoord`, `top10`; `enkele` and `meeste`, whether any and more than half of those scored are in the top
    (missing where none is scored); `beste_rang`; `niet_gevonden` and `twijfelachtig`, codes; `toelichting`.
    `lists` sums that up by list, beside what chance would give an area of as many parts.
    `held_out` has a row a check: `toets`, `gebieden`, `spearman` (positive is agreement), `gewicht_over`,
    and `reden` where it could not be made. `deciles` has the outcome's mean by decile of that score.
    """

    level: Level
    year: int
    spec: str
    recall: pd.DataFrame
    lists: pd.DataFrame
    held_out: pd.DataFrame
    deciles: pd.DataFrame
    notes: tuple[str, ...]

    def to_markdown(self) -> str:
        """Return the report in Dutch."""
        tested = self.recall["gescoord"] > 0
        rest = self.recall.loc[~tested, ["naam", "niet_gevonden", "toelichting"]]
        untested = [f"{name} ({codes or why})" for name, codes, why in rest.itertuples(index=False)]
        parts = [
            f"# Toetsing van {self.spec}, {self.level} {self.year}",
            CAVEAT,
            "## Staan aangewezen gebieden in de top?",
            _markdown(self.lists.reset_index()),
            _markdown(self.recall[tested].drop(columns="toelichting")),
            f"Niet te toetsen in deze tabel: {'; '.join(untested) or 'geen'}.",
            "## Klopt de score met een uitkomst die er niet in zit?",
            _markdown(self.held_out.reset_index(drop=True)),
            "Gemiddelde uitkomst per deciel van die score; deciel 1 heeft de hoogste prioriteit.",
            _markdown(self.deciles.reset_index()),
            *(f"- {note}" for note in self.notes),
        ]
        return "\n\n".join(parts) + "\n"


def validate(
    scores: Scores, table: LevelTable, spec: ScoreSpec, catalogue: Catalogue, references: References
) -> Validation:
    """
    Hold a score against the reference lists and the outcomes that can be left out of it.

    Parameters
    ----------
    scores
        `table` scored by `spec`.
    table, spec, catalogue
        What was scored, and by what; a held-out check scores again with indicators left out.
    references
        The lists and checks.

    Raises
    ------
    ScoringError
        The table is not of buurten or wijken, which the lists' codes stand for.
    """
    if table.level not in DIGITS:
        raise ScoringError(f"areas are listed as buurten and wijken, so a {table.level} cannot be validated")
    recall = pd.DataFrame(
        [
            {"lijst": entry.id} | _recalled(area, scores, table)
            for entry in references.lists.values()
            for area in entry.areas
        ]
    ).astype({"enkele": "boolean", "meeste": "boolean", "beste_rang": "Int32"})
    checks = [_held_out(check, table, spec, catalogue) for check in references.held_out.values()]
    names = pd.Index([check.id for check in references.held_out.values()], name="toets")
    return Validation(
        level=table.level,
        year=table.year,
        spec=spec.id,
        recall=recall,
        lists=_by_list(recall, scores.spec.uncertainty.top_share),
        held_out=pd.DataFrame([row for row, _ in checks], names),
        deciles=pd.DataFrame([means for _, means in checks], names, list(DECILES)).dropna(how="all"),
        notes=(
            *(entry.note for entry in references.lists.values()),
            *(check.note for check in references.held_out.values()),
        ),
    )


def matching(codes: pd.Index, listed: str, level: Level) -> pd.Index:
    """
    Return the areas of one level that a listed code stands for.

    A wijk stands for its buurten; among wijken, a buurt stands for the wijk that it lies in. A trailing *
    stands for every code that starts so.
    """
    wanted = listed[2:].removesuffix("*")[: DIGITS[level]]
    return codes[codes.str[2:].str.startswith(wanted)]


def _recalled(area: ReferenceArea, scores: Scores, table: LevelTable) -> dict[str, object]:
    """Look one listed area up, by the newest division that the table knows."""
    codes = scores.overview.index
    found = codes[:0]
    absent = [listed for division in area.divisions for listed in division]
    for division in area.divisions:
        matched = {listed: matching(codes, listed, table.level) for listed in division}
        if any(len(part) for part in matched.values()):
            found = codes[codes.isin([code for part in matched.values() for code in part])]
            absent = [listed for listed, part in matched.items() if not len(part)]
            break
    ranks = scores.overview.loc[found, "rang"].dropna()
    top = int(in_top(scores).loc[ranks.index].sum())
    return {
        "naam": area.name,
        "gemeente_code": area.gemeente,
        "gebieden": len(found),
        "gescoord": len(ranks),
        "top10": top,
        "enkele": top > 0 if len(ranks) else pd.NA,
        "meeste": 2 * top > len(ranks) if len(ranks) else pd.NA,
        "beste_rang": ranks.min() if len(ranks) else pd.NA,
        "niet_gevonden": " ".join(absent),
        "twijfelachtig": " ".join(area.doubtful),
        "toelichting": area.note,
    }


def _by_list(recall: pd.DataFrame, top_share: float) -> pd.DataFrame:
    """Count the areas of each list, and how many chance would give that have as many parts."""
    parts = recall["gescoord"].to_numpy()
    counted = {
        "genoemd": 1,
        "getoetst": (parts > 0).astype(int),
        "enkele": recall["enkele"].fillna(value=False).astype(int),
        "meeste": recall["meeste"].fillna(value=False).astype(int),
        "enkele_bij_toeval": 1 - (1 - top_share) ** parts,
        "meeste_bij_toeval": binom.sf(parts // 2, parts, top_share),
    }
    return recall.assign(**counted).groupby("lijst", sort=False)[list(counted)].sum()


def _held_out(
    check: HeldOut, table: LevelTable, spec: ScoreSpec, catalogue: Catalogue
) -> tuple[dict[str, object], list[float]]:
    """Score without the indicators of one outcome; return its row, and the outcome's mean by decile."""
    row: dict[str, object] = {"omschrijving": check.label, "gebieden": 0, "spearman": np.nan}
    nothing = [np.nan] * len(DECILES)
    present = set(table.values.columns[table.values.notna().any()])
    if check.outcome not in present:
        return row | {"gewicht_over": np.nan, "reden": f"geen cijfers: {check.outcome}"}, nothing
    before, without = spec.carried_by(present), spec.carried_by(present - {check.outcome, *check.without})
    if not without.domains:
        return row | {"gewicht_over": 0.0, "reden": "er blijft niets te scoren over"}, nothing
    left = {indicator.id for indicator in without.indicators}
    overview = score(table, without, catalogue).overview
    outcome = table.values[check.outcome].reindex(overview.index).where(overview["rang"].notna())
    towards = outcome if check.higher_is_worse else -outcome
    row |= {
        "gebieden": int(outcome.notna().sum()),
        "spearman": float(overview["score"].corr(towards, method="spearman")),
        "gewicht_over": sum(share for name, share in before.shares.items() if name in left),
        "reden": "",
    }
    means = outcome.groupby(overview["deciel"]).mean().reindex(DECILES)
    return row, [float(mean) for mean in means]


def _markdown(frame: pd.DataFrame) -> str:
    """Return a frame as a Markdown table: yes and no in Dutch, fractions with a decimal comma."""

    def line(cells: Iterable[object]) -> str:
        return f"| {' | '.join(_text(cell).replace('|', ' ') for cell in cells)} |"

    rows = (line(row) for row in frame.itertuples(index=False))
    return "\n".join([line(frame.columns), line(["---"] * frame.shape[1]), *rows])


def _text(cell: object) -> str:
    if cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell)):
        return "geen"
    if isinstance(cell, bool | np.bool_):
        return "ja" if cell else "nee"
    return f"{cell:.2f}".replace(".", ",") if isinstance(cell, float) else str(cell)
