"""Data noise: unbiased, of the declared size, and never out of range."""

from dataclasses import replace

import numpy as np
import pytest

from tests.scoring.synthetic import CATALOGUE, SPEC, synthetic_table
from wijkatlas.scoring.noise import DataNoise
from wijkatlas.scoring.panel import Panel, assemble_panel


@pytest.fixture(scope="module")
def panel() -> Panel:
    return assemble_panel(synthetic_table(400, 4), SPEC, CATALOGUE)


def draws(panel: Panel, count: int = 400) -> np.ndarray:
    noise = DataNoise(panel, CATALOGUE)
    return np.stack([noise.draw(np.random.default_rng(number)) for number in range(count)])


def position(panel: Panel, name: str) -> int:
    return [indicator.id for indicator in panel.indicators].index(name)


def test_missing_stays_missing_and_the_range_is_kept(panel: Panel) -> None:
    for draw in draws(panel, 20):
        np.testing.assert_array_equal(np.isnan(draw), np.isnan(panel.observed))
        for column, indicator in zip(draw.T, panel.indicators, strict=True):
            assert np.nanmin(column) >= indicator.valid[0]
            assert np.nanmax(column) <= indicator.valid[1]


def standardised_errors(panel: Panel, name: str, variance: np.ndarray) -> np.ndarray:
    """Return (draw - published) / expected deviation, where the range is too far off to clip."""
    j = position(panel, name)
    errors = (draws(panel)[:, :, j] - panel.observed[:, j]) / np.sqrt(variance)
    low, high = panel.indicators[j].valid
    room = np.minimum(panel.observed[:, j] - low, high - panel.observed[:, j]) / np.sqrt(variance)
    return errors[:, room > 4]


def test_a_share_fluctuates_as_a_binomial_with_its_rounding(panel: Panel) -> None:
    j = position(panel, "personen_in_armoede")
    share, n = panel.observed[:, j] / 100, panel.denominators[:, j]
    errors = standardised_errors(panel, "personen_in_armoede", 1e4 * share * (1 - share) / n + 0.1**2 / 12)
    assert errors.mean() == pytest.approx(0, abs=0.02)
    assert errors.std() == pytest.approx(1, abs=0.02)


def test_a_rate_fluctuates_as_a_poisson_count_with_both_roundings(panel: Panel) -> None:
    """Bijstand is rounded to 10 (variance 100/12); inwoners at random to 5 (triangular, 25/6)."""
    j = position(panel, "bijstand")
    n = panel.denominators[:, j]
    count = panel.observed[:, j] * n / 1000
    variance = (1000 / n) ** 2 * (count + 100 / 12 + (count / n) ** 2 * 25 / 6)
    errors = standardised_errors(panel, "bijstand", variance)
    assert errors.mean() == pytest.approx(0, abs=0.02)
    assert errors.std() == pytest.approx(1, abs=0.02)


def test_rates_of_one_denominator_share_its_rounding(panel: Panel) -> None:
    """Without chance and without their own rounding, rates of inwoners move in proportion."""
    quiet = {"noise": "none"}
    indicators = {
        name: entry.model_copy(update=quiet | ({} if name == "inwoners" else {"rounding": 0}))
        for name, entry in CATALOGUE.indicators.items()
    }
    noise = DataNoise(
        replace(panel, indicators=tuple(indicators[i.id] for i in panel.indicators)),
        CATALOGUE.model_copy(update={"indicators": indicators}),
    )
    rates = [position(panel, "bijstand"), position(panel, "werkloosheid")]
    both = (panel.observed[:, rates] > 0).all(axis=1)
    drawn, published = noise.draw(np.random.default_rng(1)), panel.observed
    first, second = (drawn[:, rates][both] / published[:, rates][both]).T
    np.testing.assert_allclose(first, second, rtol=1e-12)
    assert first.std() > 0


def test_a_figure_without_rounding_or_chance_stays_as_it_is(panel: Panel) -> None:
    j = position(panel, "lbm_overlast")
    np.testing.assert_array_equal(draws(panel, 1)[0][:, j], panel.observed[:, j])


@pytest.mark.parametrize("denominator", [np.nan, 0.0])
def test_an_unknown_denominator_leaves_a_rate_as_published_and_a_share_within_its_rounding(
    denominator: float,
) -> None:
    table = synthetic_table(100, 4)
    panel = assemble_panel(replace(table, denominators=table.values * 0 + denominator), SPEC, CATALOGUE)
    draw = DataNoise(panel, CATALOGUE).draw(np.random.default_rng(1))
    rate, share = position(panel, "bijstand"), position(panel, "personen_in_armoede")
    np.testing.assert_array_equal(draw[:, rate], panel.observed[:, rate])
    errors = (draw - panel.observed)[:, share]
    assert 0.04 < np.nanmax(np.abs(errors)) <= 0.05 + 1e-12
