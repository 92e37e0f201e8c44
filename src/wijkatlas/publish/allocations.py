"""What each area gets in a scenario, as a page, as columns and in words."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from wijkatlas.catalog import Catalogue, Source
from wijkatlas.publish import dutch
from wijkatlas.publish.beside import write_beside
from wijkatlas.publish.cards import records
from wijkatlas.scoring.allocation import Allocation, Scenario

SHOWN = 25  # areas on the page
AMOUNTS = ["toegekend", "toegekend_p05", "toegekend_p95"]


@dataclass(frozen=True)
class Divided:
    """One scenario's outcome beside the published list: `published` holds names and ranks, by area code."""

    allocation: Allocation
    published: pd.DataFrame
    catalogue: Catalogue

    @property
    def scenario(self) -> Scenario:
        """What was asked."""
        return self.allocation.scenario

    @property
    def decimals(self) -> int:
        """How many decimals an amount has."""
        return max(0, -int(self.scenario.step.normalize().as_tuple().exponent))

    @property
    def frame(self) -> pd.DataFrame:
        """
        The published columns: most first, then by rank and code.

        Amounts are numbers whose decimal writing is exact, so what a file says adds up to the total.
        """
        level = self.scenario.level
        areas = self.allocation.areas
        exact = areas[AMOUNTS].map(float if self.decimals else int)
        listed = self.published[
            ["naam", "gemeente_code", "gemeente_naam", "rang", "rang_p05", "rang_p95", "klasse"]
        ]
        frame = listed.join(areas.assign(**exact)).rename_axis(f"{level}_code").reset_index()
        frame["doelgroep"] = frame["doelgroep"].round(1)
        frame["behoefte"] = frame["behoefte"].round(6)
        frame = frame.sort_values(
            ["toegekend", "behoefte", "rang"], ascending=[False, False, True], kind="stable"
        )
        return frame.rename(columns={"naam": f"{level}_naam"})

    @property
    def plural(self) -> str:
        """What the areas are called."""
        return self.scenario.level.plural

    @property
    def receiving(self) -> int:
        """How many areas get anything."""
        return int((self.allocation.areas["toegekend"] > 0).sum())

    @property
    def top(self) -> list[dict[str, Any]]:
        """The areas that get most."""
        return records(self.frame.query("toegekend > 0").head(SHOWN))

    @property
    def gemeenten(self) -> list[dict[str, Any]]:
        """What each gemeente gets in all, and the people in its target group as far as known; most first."""
        frame = self.frame.assign(
            exact=self.frame[f"{self.scenario.level}_code"].map(self.allocation.areas["toegekend"])
        )
        grouped = frame.groupby(["gemeente_code", "gemeente_naam"], sort=True)
        sums = grouped.agg(doelgroep=("doelgroep", "sum"), toegekend=("exact", "sum")).reset_index()
        sums = sums[sums["toegekend"] > 0].sort_values("toegekend", ascending=False, kind="stable")
        return records(sums)

    @property
    def left_out(self) -> dict[str, tuple[int, str]]:
        """By reason: how many areas cannot take part, and how many people of the target group live there."""
        told = {}
        for reason, people in self.allocation.areas.groupby("reden_geen")["doelgroep"]:
            known = people.sum(min_count=1)
            counted = "doelgroep onbekend" if pd.isna(known) else f"{dutch.number(known)} in de doelgroep"
            told[str(reason)] = (len(people), counted)
        return told

    @property
    def gemeente(self) -> str:
        """The name of the gemeente that it is limited to, if it is."""
        names = self.published.set_index("gemeente_code")["gemeente_naam"]
        return str(names[[self.scenario.gemeente]].iloc[0]) if self.scenario.gemeente else ""

    @property
    def people(self) -> str:
        """Whom it is for."""
        return " en ".join(self.catalogue.indicators[name].label for name in self.scenario.people)

    @property
    def steering(self) -> str:
        """Which score says what the need is."""
        domain = self.scenario.domain
        return f"de score op het thema {self.catalogue.domains[domain].label}" if domain else "de hele score"

    def amount(self, value: float | Decimal) -> str:
        """Write an amount as Dutch readers do, without the unit."""
        return dutch.number(float(value), self.decimals)


@dataclass(frozen=True)
class Divisions:
    """What one scenario file gives on one edition."""

    manifest: dict[str, Any]  # the edition's
    divided: tuple[Divided, ...]  # in the order of the file
    sources: tuple[Source, ...]  # of the edition


def write_divisions(divisions: Divisions, place: Path, edition: Path) -> None:
    """
    Write what the scenarios give: a page, and for each scenario its table.

    Parameters
    ----------
    divisions
        What to write.
    place
        Where to: `<shelf>/verdelingen/<edition>/<file>`.
    edition
        The folder of the edition.

    Raises
    ------
    PublishError
        It could not be written.
    """
    write_beside(
        place,
        edition,
        divisions.manifest,
        divisions.sources,
        {division.scenario.id: division.frame for division in divisions.divided},
        "verdeling.html",
        divisions=divisions.divided,
    )


def to_markdown(divisions: Divisions) -> str:
    """Tell in Dutch what each scenario gives to whom."""
    lines = []
    for division in divisions.divided:
        scenario = division.scenario
        lines += [
            f"# {scenario.label}",
            "",
            f"{division.amount(scenario.total)} {scenario.unit}. {scenario.origin}",
            f"{division.receiving} van {len(division.allocation.areas)} {division.plural} krijgen iets.",
            "",
            "| Code | Naam | Plaats (90%) | Doelgroep | Krijgt (90%) |",
            "|---|---|---|---|---|",
        ]
        for row in division.top[:10]:
            margin = "-".join(division.amount(row[f"toegekend_{side}"]) for side in ("p05", "p95"))
            cells = [
                row[f"{scenario.level}_code"],
                row[f"{scenario.level}_naam"],
                f"{row['rang']} ({row['rang_p05']}-{row['rang_p95']})",
                dutch.number(row["doelgroep"]),
                f"{division.amount(row['toegekend'])} ({margin})",
            ]
            lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
        for reason, (size, people) in division.left_out.items():
            where = scenario.level if size == 1 else division.plural
            lines += ["", f"Krijgt niets ({reason}): {size} {where}, {people}."]
        lines.append("")
    return "\n".join(lines).rstrip()
