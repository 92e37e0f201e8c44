"""The municipal summaries against the published formulas, a naive replay and their invariants."""

import json
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wijkatlas.errors import ScoringError
from wijkatlas.scoring.summaries import extent_weight, municipal_summaries


def areas(population: list[float], gemeenten: list[str], score: list[float] | None = None) -> pd.DataFrame:
    n = len(population)
    values = pd.Series(score if score is not None else np.arange(n, 0.0, -1.0))
    return pd.DataFrame(
        {
            "rank": values.rank(method="min", ascending=False).astype("Int32").to_numpy(),
            "score": values.to_numpy(),
            "people": population,
            "gemeente": gemeenten,
        },
        index=[f"BU{i:08d}" for i in range(n)],
    )


def summarise(frame: pd.DataFrame) -> pd.DataFrame:
    return municipal_summaries(frame["rank"], frame["score"], frame["people"], frame["gemeente"])


def test_extent_weights_are_those_of_the_test_vectors() -> None:
    vectors = json.loads((Path(__file__).parent / "coinr" / "formula_testvectors.json").read_text())
    expected = vectors["extent_weight_by_percentile_1_is_most_deprived"]
    np.testing.assert_allclose(extent_weight(np.arange(1, 101)), expected, rtol=0, atol=1e-15)


def test_extent_weights_at_the_ends_of_their_bands() -> None:
    np.testing.assert_allclose(
        extent_weight([1, 10, 11, 20, 30, 31, 100]), [1, 1, 0.95, 0.95 - 8.1 / 19, 0.05, 0, 0]
    )


def test_one_worked_example() -> None:
    # Twenty areas: GM0001 has the first four, of 100, 300, 100 and 500 people.
    frame = areas([100, 300, 100, 500] + [200] * 16, ["GM0001"] * 4 + ["GM0002"] * 16)
    row = summarise(frame).loc["GM0001"]
    assert row["gebieden"] == 4
    assert row["inwoners"] == 1000
    assert row["gemiddelde_rang"] == pytest.approx((100 * 20 + 300 * 19 + 100 * 18 + 500 * 17) / 1000)
    assert row["gemiddelde_score"] == pytest.approx((100 * 20 + 300 * 19 + 100 * 18 + 500 * 17) / 1000)
    assert row["aandeel_slechtste_10pct"] == 0.5
    assert row["omvang"] == pytest.approx(
        (100 + 300 + 100 * (0.95 - 0.9 / 19 * 4) + 500 * (0.95 - 0.9 / 19 * 9)) / 1000
    )
    assert row["lokale_concentratie"] == 20


def test_local_concentration_takes_the_last_area_pro_rata() -> None:
    frame = areas([40, 500, 460], ["GM0001"] * 3)
    assert summarise(frame).loc["GM0001", "lokale_concentratie"] == pytest.approx((40 * 3 + 60 * 2) / 100)


def test_a_gemeente_without_scored_areas_stays_and_is_empty() -> None:
    frame = areas([100, 100], ["GM0001", "GM0002"])
    frame.loc["BU00000001", ["rank", "score"]] = pd.NA
    row = summarise(frame).loc["GM0002"]
    assert row["gebieden"] == 0
    assert row.drop(["gebieden", "inwoners"]).isna().all()


def test_a_scored_area_without_people_is_refused() -> None:
    with pytest.raises(ScoringError, match="BU00000001"):
        summarise(areas([100, np.nan], ["GM0001", "GM0001"]))


frames = st.lists(
    st.tuples(st.integers(1, 5000), st.integers(1, 4), st.integers(0, 20)), min_size=1, max_size=60
).map(
    lambda rows: areas(
        [float(people) for people, _, _ in rows],
        [f"GM{gemeente:04d}" for _, gemeente, _ in rows],
        [float(score) for _, _, score in rows],
    )
)


def naive_local_concentration(part: pd.DataFrame, n: int) -> float:
    left = 0.1 * part["people"].sum()
    total = 0.0
    for rank, people in part.sort_values("rank")[["rank", "people"]].itertuples(index=False):
        taken = min(left, people)
        total += taken * (n - rank + 1)
        left -= taken
    return float(total / (0.1 * part["people"].sum()))


@given(frames)
def test_summaries_keep_their_bounds_and_totals(frame: pd.DataFrame) -> None:
    summaries = summarise(frame)
    n = len(frame)
    assert summaries["gebieden"].sum() == n
    assert summaries["inwoners"].sum() == frame["people"].sum()
    mean = np.average(summaries["gemiddelde_rang"], weights=summaries["inwoners"])
    assert mean == pytest.approx(np.average(n - frame["rank"].astype(float) + 1, weights=frame["people"]))
    assert summaries["omvang"].between(0, 1 + 1e-12).all()
    assert (summaries["lokale_concentratie"] >= summaries["gemiddelde_rang"] - 1e-9).all()
    for code, part in frame.groupby("gemeente"):
        assert summaries.loc[code, "lokale_concentratie"] == pytest.approx(naive_local_concentration(part, n))


@given(frames, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(frame: pd.DataFrame, random: Random) -> None:
    order = list(range(len(frame)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(summarise(frame), summarise(frame.iloc[order]), check_exact=True)
