"""Data noise: what the published figures might have been, given rounding and the chance in small counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wijkatlas.catalog import Catalogue, Indicator
from wijkatlas.scoring.panel import Panel, scale_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DataNoise:
    """
    Draws of the observed figures of a panel.

    Notes
    -----
    Two errors, in this order. Rounding: a step s leaves an error that is uniform over s, or triangular
    over 2 s where CBS rounds at random to either neighbour. Chance: a count c out of n fluctuates with
    variance c (Poisson) or c (1 - c/n) (binomial), drawn as a normal, which at the counts behind a scored
    figure is close and a hundred times faster. A rate of a count has the rounding of its denominator too,
    the same draw for every indicator on that denominator. No figure leaves its valid range.
    """

    panel: Panel
    catalogue: Catalogue

    def draw(self, rng: np.random.Generator) -> Floats:
        """Return figures (n, k), column-major, missing where the observed ones are."""
        panel = self.panel
        result = np.empty_like(panel.observed)
        rounded = {
            name: self._rounding_error(self.catalogue.indicators[name], rng)
            for name in self._rounded_counts()
        }
        for j, indicator in enumerate(panel.indicators):
            observed, total = panel.observed[:, j], panel.denominators[:, j]
            if indicator.kind == "extensive":
                noisy = self._noisy_rate(indicator, observed, total, rounded, rng)
            else:
                noisy = self._noisy_figure(indicator, observed, total, rng)
            result[:, j] = np.clip(noisy, *indicator.valid)
        return result

    def _rounded_counts(self) -> list[str]:
        """List the counts whose rounding a rate inherits: numerators and the parts of denominators."""
        extensive = [i for i in self.panel.indicators if i.kind == "extensive"]
        return sorted({name for i in extensive for name in (i.id, *i.denominator)})

    def _rounding_error(self, indicator: Indicator, rng: np.random.Generator) -> Floats | float:
        n = len(self.panel.observed)
        if not indicator.rounding:
            return 0.0
        error = rng.random(n) - 0.5
        if indicator.rounding_is_random:
            error += rng.random(n) - 0.5
        error *= indicator.rounding
        return error

    def _noisy_rate(
        self,
        indicator: Indicator,
        observed: Floats,
        total: Floats,
        rounded: dict[str, Floats | float],
        rng: np.random.Generator,
    ) -> Floats:
        scale = scale_of(indicator)
        count = np.maximum(observed * (total / scale) + rounded[indicator.id], 0)
        # Rounding cannot halve a denominator that is large enough to be scored; a guard, not a model.
        denominator = np.maximum(total + sum(rounded[name] for name in indicator.denominator), total / 2)
        rate = (count + _fluctuation(indicator, count, denominator, rng)) * scale / denominator
        return np.where(np.isnan(total), observed, rate)  # without a total there is no count to disturb

    def _noisy_figure(
        self, indicator: Indicator, observed: Floats, total: Floats, rng: np.random.Generator
    ) -> Floats:
        figure = np.clip(observed + self._rounding_error(indicator, rng), *indicator.valid)
        if indicator.noise == "none":
            return figure
        scale = scale_of(indicator)
        count = figure * (total / scale)
        chance = _fluctuation(indicator, count, total, rng) * (scale / total)
        return figure + np.where(np.isnan(total), 0.0, chance)  # without a total no chance, but its rounding


def _fluctuation(
    indicator: Indicator, count: Floats, total: Floats, rng: np.random.Generator
) -> Floats | float:
    if indicator.noise == "none":
        return 0.0
    variance = count if indicator.noise == "poisson" else count * np.maximum(1 - count / total, 0)
    return np.asarray(np.sqrt(variance) * rng.standard_normal(len(count)))
