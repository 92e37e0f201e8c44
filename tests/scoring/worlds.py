"""Small made-up level tables and specifications, for the analyses around the score."""

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import box

from wijkatlas.areas import Level, LevelTable, Status
from wijkatlas.catalog import load_catalogue
from wijkatlas.scoring.score import Scores, score
from wijkatlas.scoring.spec import ScoreSpec, load_spec

YEAR = 2024
DOMAINS = {
    "bestaanszekerheid": {"personen_in_armoede": 2.0, "bijstand": 1.0},
    "meedoen_en_werk": {"netto_arbeidsparticipatie": 1.0},
    "leefbaarheid_en_veiligheid": {"lbm_overlast": 2.0, "lbm_samenhang": 1.0},
}
LOWER_IS_WORSE = ("netto_arbeidsparticipatie", "lbm_overlast", "lbm_samenhang")
INDICATORS = [indicator for members in DOMAINS.values() for indicator in members]


def specification(**changes: object) -> ScoreSpec:
    """Return a specification of three domains and five indicators that imputes nothing."""
    shipped = load_spec("deltaplan", load_catalogue()).model_dump(by_alias=True)
    domains = [
        {"id": domain, "weight": weight, "indicator": [{"id": i, "weight": w} for i, w in members.items()]}
        for (domain, members), weight in zip(DOMAINS.items(), (3.0, 1.5, 2.0), strict=True)
    ]
    universe = {
        "min_inwoners": 100,
        "min_huishoudens": 0,
        "min_weight_present": 0.3,
        "min_weight_carried": 0.3,
    }
    return ScoreSpec.model_validate(
        shipped | {"domain": domains, "universe": universe, "imputation": {"method": "none"}} | changes
    )


def level_table(worse: np.ndarray, extra: dict[str, np.ndarray] | None = None) -> LevelTable:
    """Return a table of `worse`, shape (n, 5): each indicator's figure, NaN missing, higher is worse."""
    codes = pd.Index([f"BU{i // 10:06d}{i % 10:02d}" for i in range(len(worse))], name="code")
    figures = pd.DataFrame(worse, codes, INDICATORS)
    figures[list(LOWER_IS_WORSE)] *= -1
    values = figures.assign(inwoners=1000.0, **(extra or {}))
    return buurten(values, pd.DataFrame(1000.0, codes, values.columns))


def buurten(values: pd.DataFrame, denominators: pd.DataFrame) -> LevelTable:
    """Return a table of these figures, all of one year, in a row of square buurten."""
    codes, known = values.index, values.notna()
    return LevelTable(
        level=Level.BUURT,
        year=YEAR,
        areas=gpd.GeoDataFrame(
            {
                "naam": codes,
                "wijk_code": "WK" + codes.str[2:8],
                "wijk_naam": "wijk",
                "gemeente_code": "GM" + codes.str[2:6],
                "gemeente_naam": "gemeente",
            },
            geometry=[box(i, 0, i + 1, 1) for i in range(len(codes))],
            index=codes,
            crs=28992,
        ),
        values=values,
        denominators=denominators,
        status=known.replace({True: Status.OBSERVED, False: Status.NOT_PUBLISHED}).astype("str"),
        peiljaar=pd.DataFrame(YEAR, codes, values.columns).where(known).astype("Int16"),
        parts_missing=pd.DataFrame(0, codes, values.columns).astype("Int32"),
    )


def random_worse(n: int, seed: int, *, missing: float = 0.0) -> np.ndarray:
    """Return (n, 5) figures that share a common cause, of which a share is missing."""
    rng = np.random.default_rng(seed)
    figures = rng.normal(size=(n, 1)) + rng.normal(size=(n, 5))
    figures[rng.random((n, 5)) < missing] = np.nan
    return figures


def scored(table: LevelTable, spec: ScoreSpec | None = None) -> Scores:
    """Score `table` by the specification of this module."""
    return score(table, spec or specification(), load_catalogue())
