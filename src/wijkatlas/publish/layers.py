"""Layers: what the maps show of an edition."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from wijkatlas.areas import Level, Status
from wijkatlas.catalog import Polarity
from wijkatlas.publish.columns import Field, fields
from wijkatlas.publish.contents import Contents
from wijkatlas.publish.payload import MapLayer, MapLevel, Sheet, parents_of, quantile_limits
from wijkatlas.scoring.assessment import Ranked

Worse = Literal["high", "low"] | None

CLASSES = 5  # of equal size, over all buurten of the edition
RESULTS = ("score", "score_zonder_wonen")
RANKED = ("rang", "rang_p05", "rang_p95", "kans_top10", "reden_niet_gescoord")  # beside the layers
NOTES = ("geschat", "verouderd", "op_klein_aantal")  # in the reason card
SUMMARISED = {"gemiddelde_score": "score"}  # of a level that is not ranked itself
THRESHOLDS = ("inwoners", "corporatiebezit")  # the reader can ask for areas at or above a value
WORSE: Mapping[Polarity, Worse] = {
    Polarity.HIGHER_IS_WORSE: "high",
    Polarity.LOWER_IS_WORSE: "low",
    Polarity.CONTEXT: None,
}


def map_layers(contents: Contents, texts: Mapping[str, str]) -> list[MapLayer]:
    """
    Return the layers of every map of an edition, the score first.

    Class limits are those of all buurten, so that a colour means the same on every map.

    Parameters
    ----------
    texts
        The headings `results`, `themes` and `context` of the list of layers.
    """
    return list(_layers(contents, texts))


def _layers(contents: Contents, texts: Mapping[str, str]) -> Iterator[MapLayer]:
    buurten, catalogue = contents.frames[Level.BUURT], contents.catalogue
    labels = tuple(certainty.label for certainty in contents.spec.uncertainty.classes)
    scored = {indicator.id for indicator in contents.spec.indicators}
    filled = buurten.columns[buurten.notna().any()]
    shown = [field for field in fields(catalogue, Level.BUURT) if field.name in filled]
    certainty = next(field for field in shown if field.name == "klasse")

    def layer(field: Field, group: str, worse: Worse) -> MapLayer:
        return MapLayer(
            field.name,
            field.label,
            group,
            field.unit,
            field.decimals or 0,
            field.definition,
            worse=worse,
            limits=quantile_limits(buurten[field.name], CLASSES, field.decimals or 0),
            threshold=field.name in THRESHOLDS,
            counted=field.name in scored,
            hatched=field.name == "score",
        )

    yield from (layer(field, texts["results"], "high") for field in shown if field.name in RESULTS)
    yield MapLayer(
        "klasse",
        certainty.label,
        texts["results"],
        explanation=certainty.definition,
        kind="class",
        classes=labels,
    )
    yield from (layer(field, texts["themes"], "high") for field in shown if field.kind == "domain")
    for field in shown:
        if field.kind == "indicator":
            indicator = catalogue.indicators[field.name]
            theme = catalogue.domains[indicator.domain].label if indicator.domain else texts["context"]
            yield layer(field, theme, WORSE[indicator.polarity])


def map_level(contents: Contents, level: Level, label: str, layers: list[MapLayer]) -> MapLevel:
    """Return every area of a level with what the map knows of it."""
    assessment, frame = contents.assessments[level], contents.frames[level]
    frame = frame.set_index(f"{level}_code", drop=False).sort_index()
    known = frame.rename(columns={f"{level}_naam": "naam"} | ({} if "score" in frame else SUMMARISED))
    names = ["naam", *(layer.id for layer in layers)]
    names += [name for name in RANKED if name in frame]
    attributes = pd.DataFrame(known.drop(columns="geometry")).reindex(columns=names)
    counts = attributes.select_dtypes("integer").columns
    attributes[counts] = attributes[counts].astype("float64")
    if level is not Level.GEMEENTE:
        attributes["gemeente"] = frame["gemeente_naam"]
    figures = [layer.id for layer in layers if layer.id in assessment.table.values]
    imputed = assessment.imputed.reindex(columns=figures, fill_value=False)
    status = assessment.table.status[figures]
    status = status.mask(status == Status.OBSERVED)  # goes without saying
    whole = MapLevel(
        level=level,
        label=label,
        areas=frame[["geometry"]],
        attributes=attributes,
        status=status.mask(imputed, Status.IMPUTED.value).loc[frame.index].astype(object),
        peiljaar=assessment.table.peiljaar.loc[frame.index, figures].astype("float64"),
    )
    if not isinstance(assessment, Ranked):
        return whole
    notes = {name: contents.catalogue.columns[name].label for name in NOTES}
    return replace(
        whole,
        contributions=assessment.explanations.domain_gaps.add_prefix("d_").reindex(frame.index),
        notes=pd.DataFrame(frame[list(notes)]).rename(columns=notes).astype(object),
    )


def split_by_gemeente(sheet: Sheet) -> dict[str, Sheet]:
    """Return a level's areas for each gemeente apart, by its code; they need not name their gemeente."""
    nameless = sheet.without("gemeente")
    gemeente, codes = pd.factorize(parents_of(sheet.codes, Level.GEMEENTE))
    return {str(code): nameless.take(np.flatnonzero(gemeente == number)) for number, code in enumerate(codes)}
