"""The figures that are to be scored, as arrays: carried, screened, shrunk and completed."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wijkatlas.areas import LevelTable
from wijkatlas.catalog import Catalogue, Indicator, Polarity
from wijkatlas.errors import ScoringError, some
from wijkatlas.scoring.impute import Estimates, estimates_of, group_median, parent_adjusted
from wijkatlas.scoring.screen import reasons_not_scored, weight_present
from wijkatlas.scoring.shrink import shrink
from wijkatlas.scoring.spec import ScoreSpec

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Panel:
    """
    The scored areas' figures (n areas, sorted by code; k indicators, in the order of the domains).

    Arrays of shape (n, k) are column-major: every step works on one indicator at a time.
    """

    spec: ScoreSpec  # with fallbacks resolved and absent indicators left out
    codes: pd.Index  # every area of the table, sorted
    scored: NDArray[np.bool_]  # over all `codes`; n of them are true
    reasons: pd.Series  # by code; missing where scored
    weight_present: Floats  # over all `codes`
    indicators: tuple[Indicator, ...]
    observed: Floats  # (n, k) as in the table; NaN is missing
    denominators: Floats  # (n, k) NaN where unknown or zero
    gemeenten: NDArray[np.intp]  # (n,)
    estimates: Estimates | None  # None where nothing is imputed
    values: Floats  # (n, k) shrunk and imputed, before treatment

    @property
    def imputed(self) -> NDArray[np.bool_]:
        """Which cells of `values` hold an estimate, shape (n, k)."""
        return np.isnan(self.observed) & ~np.isnan(self.values)

    @property
    def directions(self) -> tuple[int, ...]:
        """Return 1 for an indicator whose higher values are worse, -1 for the others."""
        return tuple(1 if i.polarity is Polarity.HIGHER_IS_WORSE else -1 for i in self.indicators)

    def shrunk(self, values: Floats) -> Floats:
        """Shrink the shares and rates among `values` (n, k), if the specification says so."""
        if not self.spec.shrinkage.apply:
            return values
        result = values.copy(order="F")
        for j, indicator in enumerate(self.indicators):
            if indicator.noise != "none":
                scale = scale_of(indicator)
                column = shrink(values[:, j] / scale, self.denominators[:, j], self.gemeenten)
                result[:, j] = column * scale
        return result


def scale_of(indicator: Indicator) -> float:
    """Return what a share of 1 is in the indicator's unit: 100 for a percentage, 1000 per 1,000."""
    return 100.0 if indicator.unit == "%" else indicator.per


def assemble_panel(table: LevelTable, spec: ScoreSpec, catalogue: Catalogue) -> Panel:
    """
    Carry a specification to a table: which indicators, which areas, and the figures that are missing.

    Raises
    ------
    ScoringError
        The table carries too little of the specification, lacks a column that it needs, or fewer than
        two areas can be scored.
    """
    carried = _carried(table, spec)
    ids = [indicator.id for indicator in carried.indicators]
    codes = table.values.index.sort_values()
    values = table.values.loc[codes, ids].to_numpy(np.float64, na_value=np.nan)
    shares = np.array(list(carried.shares.values()))
    reasons = reasons_not_scored(
        carried.universe,
        _numbers(table, "inwoners", codes, needed=carried.universe.min_inwoners > 0),
        _numbers(table, "huishoudens", codes, needed=carried.universe.min_huishoudens > 0),
        values,
        shares,
    )
    scored = reasons.isna().to_numpy()
    if scored.sum() < 2:  # noqa: PLR2004 - a score compares
        why = reasons.value_counts().index[:1].tolist()
        raise ScoringError(
            f"{scored.sum()} areas can be scored, at least 2 are needed; most often: {some(why)}"
        )
    kept = codes[scored]
    observed = np.asfortranarray(values[scored])
    denominators = table.denominators.reindex(index=kept, columns=ids).to_numpy(np.float64, na_value=np.nan)
    panel = Panel(
        spec=carried,
        codes=codes,
        scored=scored,
        reasons=reasons,
        weight_present=weight_present(values, shares),
        indicators=tuple(catalogue.indicators[name] for name in ids),
        observed=observed,
        denominators=np.asfortranarray(np.where(denominators > 0, denominators, np.nan)),
        gemeenten=_groups(table, "gemeente_code", kept),
        estimates=None,
        values=observed,
    )
    return _imputed(replace(panel, values=panel.shrunk(observed)), table, kept)


def _carried(table: LevelTable, spec: ScoreSpec) -> ScoreSpec:
    present = set(table.values.columns[table.values.notna().any()])
    carried = spec.carried_by(present)
    declared = spec.shares
    kept = {i.id for i in carried.indicators}
    held = [i.id for i in spec.indicators if i.id in kept or i.fallback in kept]
    share = sum(declared[name] for name in held)
    if not kept or share < spec.universe.min_weight_carried - 1e-9:
        raise ScoringError(
            f"the {table.level} table of {table.year} carries {share:.0%} of the weight of {spec.id}, "
            f"at least {spec.universe.min_weight_carried:.0%} is needed; it lacks "
            f"{some(set(declared) - set(held))}"
        )
    return carried


def _numbers(table: LevelTable, name: str, codes: pd.Index, *, needed: bool) -> pd.Series:
    if name not in table.values:
        if needed:
            raise ScoringError(
                f"the {table.level} table of {table.year} lacks {name}, which the specification needs"
            )
        return pd.Series(np.nan, index=codes)
    return table.values[name].loc[codes].astype(float)


def _groups(table: LevelTable, parent: str, codes: pd.Index) -> NDArray[np.intp]:
    """Return the number of each area's parent; an area without one is its own."""
    if parent not in table.areas:
        return np.arange(len(codes), dtype=np.intp)
    parents = table.areas[parent].reindex(codes)
    numbers: NDArray[np.intp] = pd.factorize(parents.where(parents.notna(), codes.to_series()), sort=True)[0]
    return numbers


def _imputed(panel: Panel, table: LevelTable, codes: pd.Index) -> Panel:
    """Complete `panel.values` by the declared method."""
    imputation = panel.spec.imputation
    if imputation.method == "none":
        return panel
    if imputation.method == "group_median":
        estimated = group_median(panel.values, _groups(table, imputation.group, codes))
    else:
        numbers = _numbers(table, imputation.group_indicator, codes, needed=True)
        groups = np.where(numbers.isna(), -1, np.digitize(numbers, imputation.group_edges))
        parents = [_groups(table, parent, codes) for parent in imputation.parents]
        estimated = parent_adjusted(panel.values, panel.denominators, parents, groups)
    valid = np.array([indicator.valid for indicator in panel.indicators])
    estimates = estimates_of(panel.values, estimated, valid)
    completed = np.where(np.isnan(panel.values), estimates.values, panel.values)
    return replace(panel, estimates=estimates, values=np.asfortranarray(completed))
