"""The tipping weights against brute force: every weight, over a fine grid of shares, scored again."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scoring.worlds import level_table, random_worse, scored, specification
from wijkatlas.errors import ScoringError
from wijkatlas.scoring.score import Scores
from wijkatlas.scoring.spec import ScoreSpec
from wijkatlas.scoring.tipping import tipping_weights


def weight_ids(scores: Scores) -> list[str]:
    spec = scores.spec
    return [d.id for d in spec.domains] + [
        i.id for d in spec.domains if len(d.indicators) > 1 for i in d.indicators
    ]


def ranking(scores: Scores) -> Callable[[str, float], np.ndarray]:
    """Return a function that ranks what is normalised when one weight is changed."""
    kept = scores.normalised.dropna(how="all")
    tree = [
        (
            d.id,
            d.weight,
            [(i.id, i.weight) for i in d.indicators],
            kept[[i.id for i in d.indicators]].to_numpy(),
        )
        for d in scores.spec.domains
    ]

    def ranks_with(changed: str, weight: float) -> np.ndarray:
        upper, lower = np.zeros(len(kept)), np.zeros(len(kept))
        for domain, outer, members, parts in tree:
            inner = [weight if name == changed else w for name, w in members]
            present = ~np.isnan(parts) @ np.array(inner)
            mean = np.nan_to_num(parts) @ np.array(inner) / np.where(present > 0, present, 1)
            share = (weight if domain == changed else outer) * (present > 0)
            upper, lower = upper + share * mean, lower + share
        values = upper / lower
        return np.asarray(1 + (values > values[:, None] + 1e-12).sum(axis=1))

    return ranks_with


def declared(scores: Scores, name: str) -> tuple[float, float, float]:
    """Return a weight, the sum of the others beside it, and its parent's share of the whole."""
    domains = scores.spec.domains
    whole = sum(d.weight for d in domains)
    for domain in domains:
        if domain.id == name:
            return domain.weight, whole - domain.weight, 1.0
        for indicator in domain.indicators:
            if indicator.id == name:
                inner = sum(i.weight for i in domain.indicators)
                return indicator.weight, inner - indicator.weight, domain.weight / whole
    raise KeyError(name)


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.15]))
@settings(max_examples=25, deadline=None)
def test_no_smaller_change_takes_an_area_out_and_the_found_one_does(seed: int, missing: float) -> None:
    worse = random_worse(30, seed, missing=missing)
    worse[:, 0] = np.where(np.isnan(worse).all(axis=1), 0.0, worse[:, 0])
    scores = scored(level_table(worse))
    tipping = tipping_weights(scores)
    codes = scores.normalised.dropna(how="all").index
    places = max(1, len(codes) // 10)
    ranks_with = ranking(scores)
    assert set(tipping.index) == set(scores.overview.query("rang <= @places").index)
    step = 1 / 150
    smallest = dict.fromkeys(tipping.index, np.inf)
    for name in weight_ids(scores):
        weight, others, parent = declared(scores, name)
        share = weight / (weight + others)
        for s in np.arange(step / 2, 1, step):
            out = codes[ranks_with(name, others * s / (1 - s)) > places]
            for code in set(out) & set(smallest):
                smallest[code] = min(smallest[code], abs(s - share) * parent)
    for code, row in tipping.iterrows():
        if pd.isna(row["gewicht_van"]):
            assert smallest[code] == np.inf
            continue
        assert row["verschuiving"] <= smallest[code] + 1e-9
        weight, others, parent = declared(scores, row["gewicht_van"])
        assert row["gewicht"] == weight
        share, tipped = weight / (weight + others), row["gewicht_naar"] / (row["gewicht_naar"] + others)
        assert abs(tipped - share) * parent == pytest.approx(row["verschuiving"])
        position = codes.get_loc(code)
        past, before = (
            ranks_with(row["gewicht_van"], row["gewicht_naar"] * (1 + sign * 1e-6))[position]
            for sign in ((1, -1) if tipped > share else (-1, 1))
        )
        assert past > places
        assert before <= places


def test_the_found_weight_tips_the_real_score() -> None:
    table = level_table(random_worse(200, 11))
    scores = scored(table)
    tipping = tipping_weights(scores).dropna()
    assert len(tipping) > 5
    for code, row in tipping.iterrows():
        for factor, deciles in ((1 - 1e-6, {1}), (1 + 1e-6, {2})):
            raw = specification().model_dump(by_alias=True)
            entries = [
                e for d in raw["domain"] for e in (d, *d["indicator"]) if e["id"] == row["gewicht_van"]
            ]
            entries[0]["weight"] = row["gewicht"] + (row["gewicht_naar"] - row["gewicht"]) * factor
            again = scored(table, ScoreSpec.model_validate(raw))
            assert again.overview.loc[code, "deciel"] in deciles


def test_an_area_that_is_worst_in_everything_cannot_be_tipped() -> None:
    worse = random_worse(50, 3)
    worse[7] = np.nanmax(worse) + 1
    tipping = tipping_weights(scored(level_table(worse)))
    assert tipping.loc["BU00000007"].isna().all()
    assert len(tipping) == 5


def test_a_top_that_holds_everyone_cannot_be_left() -> None:
    scores = scored(level_table(random_worse(12, 1)))
    everyone = scores.spec.uncertainty.model_copy(update={"top_share": 1.0})
    spec = scores.spec.model_copy(update={"uncertainty": everyone})
    tipping = tipping_weights(replace(scores, spec=spec))
    assert len(tipping) == 12
    assert tipping.isna().all(axis=None)


def test_ties_everywhere_stay_in() -> None:
    worse = np.repeat(random_worse(2, 5), 20, axis=0)
    tipping = tipping_weights(scored(level_table(worse)))
    assert len(tipping) == 20  # they share the first rank
    assert len(tipping.drop_duplicates()) == 1


def test_the_order_of_rows_does_not_matter() -> None:
    table = level_table(random_worse(80, 9, missing=0.1))
    order = np.random.default_rng(0).permutation(80)
    shuffled = replace(table, values=table.values.iloc[order], areas=table.areas.iloc[order])
    pd.testing.assert_frame_equal(
        tipping_weights(scored(table)), tipping_weights(scored(shuffled)), check_exact=True
    )


def test_means_that_are_not_arithmetic_are_refused() -> None:
    spec = specification(
        aggregation={"within_domains": "arithmetic", "between_domains": "geometric"},
        normalisation={"method": "min_max", "lower": 1.0, "upper": 100.0},
    )
    with pytest.raises(ScoringError, match="arithmetic"):
        tipping_weights(scored(level_table(random_worse(30, 2)), spec))
