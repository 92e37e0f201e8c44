"""One area in words, for the command line: its place, its reasons, its figures and what is missing."""

from collections.abc import Iterator

import pandas as pd

from wijkatlas.catalog import Catalogue
from wijkatlas.errors import ScoringError
from wijkatlas.publish import dutch
from wijkatlas.scoring.assessment import Ranked
from wijkatlas.scoring.explain import Explanation


def explained(code: str, ranked: Ranked, catalogue: Catalogue) -> str:
    """
    Write out in Dutch what is known of one area.

    Raises
    ------
    ScoringError
        The area is not in the table.
    """
    if code not in ranked.table.values.index:
        raise ScoringError(f"{code} is not among the {len(ranked.table.values)} areas of this level")
    area = ranked.scores.overview.loc[code]
    if pd.notna(area["score"]):
        lines = [
            *_place(ranked.explanations.of(code), ranked),
            *_reasons(ranked.explanations.of(code), ranked, catalogue),
        ]
    else:
        lines = [f"Geen score: {area['reden_niet_gescoord']}."]
    return "\n".join([*_name(code, ranked), *lines, "", *_figures(code, ranked, catalogue)])


def _name(code: str, ranked: Ranked) -> Iterator[str]:
    area = ranked.table.areas.loc[code]
    within = dict.fromkeys(
        name for name in (area["wijk_naam"], area["gemeente_naam"]) if name != area["naam"]
    )
    yield f"{', '.join([area['naam'], *within])} ({code}), peiljaar {ranked.table.year}"
    yield ""


def _place(why: Explanation, ranked: Ranked) -> Iterator[str]:
    doubt = ranked.uncertainty.areas.loc[[why.code]].to_dict("records")[0]
    scored = ranked.scores.overview["rang"].notna().sum()
    yield (
        f"Plaats {why.rank} (90%: {doubt['rang_p05']}-{doubt['rang_p95']}) van {scored}; "
        f"kans op de eerste 10%: {dutch.percent(doubt['kans_top10'])}, {doubt['klasse']}."
    )
    yield f"Score {dutch.number(why.score, 1)}; het middelste gebied heeft {dutch.number(why.median, 1)}."


def _reasons(why: Explanation, ranked: Ranked, catalogue: Catalogue) -> Iterator[str]:
    yield ""
    yield "Wat elk thema toevoegt ten opzichte van het middelste gebied, in punten van de score:"
    for domain, points in why.domain_gaps.sort_values(ascending=False, kind="stable").items():
        yield f"  {dutch.signed(points, 1):>6}  {catalogue.domains[str(domain)].label}"
    if why.tipping is not None:
        yield ""
        yield _tipping(why.tipping, catalogue)
    names = ranked.table.areas["naam"]
    yield ""
    yield "Lijkt op: " + ", ".join(f"{names[code]} ({code})" for code in why.similar) + "."


def _tipping(tipping: pd.Series, catalogue: Catalogue) -> str:
    if pd.isna(tipping["gewicht_van"]):
        return "Geen enkele verandering van één gewicht haalt dit gebied uit de eerste 10%."
    name = tipping["gewicht_van"]
    entry = catalogue.domains.get(name) or catalogue.indicators[name]
    old, new = (dutch.number(tipping[column], 2) for column in ("gewicht", "gewicht_naar"))
    return f"Uit de eerste 10% zodra het gewicht van {entry.label} voorbij {new} gaat (nu {old})."


def _figures(code: str, ranked: Ranked, catalogue: Catalogue) -> Iterator[str]:
    """List the figures of the score, each with its year or the reason why there is none."""
    table, scores = ranked.table, ranked.scores
    labels = [catalogue.indicators[i.id].label for i in scores.spec.indicators]
    width = max(map(len, labels))
    yield "Cijfers in de score:"
    for entry, label in zip(scores.spec.indicators, labels, strict=True):
        indicator = catalogue.indicators[entry.id]
        value = float(table.values[entry.id][code])
        if pd.notna(value):
            told = dutch.quantity(value, indicator.unit, indicator.decimals)
            note = str(table.peiljaar[entry.id][code])
        else:
            told = "geen cijfer"
            note = str(table.status[entry.id][code])
        if scores.imputed[entry.id][code]:
            note += "; in de score geschat"
        yield f"  {label:<{width}}  {told:>30}  {note}"
