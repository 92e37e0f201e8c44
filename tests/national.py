"""The real national sets of ../shared as level tables, with the specifications that they can bear."""

from pathlib import Path

import geopandas as gpd
import pandas as pd

from wijkatlas.areas import Level, LevelTable, Status
from wijkatlas.catalog import Catalogue, Indicator, Polarity, load_catalogue
from wijkatlas.scoring.spec import ScoreSpec, load_spec

HERE = Path(__file__).parent

# Column of the set by indicator id; the last ids are not in the catalogue, see `national_catalogue`.
WIJK_COLUMNS = {
    "inwoners": "population",
    "woningvoorraad": "dwelling_total",
    "woz_waarde": "dwelling_value",
    "koopwoningen": "dwelling_ownership",
    "netto_arbeidsparticipatie": "employment_rate",
    "personen_laagste_inkomen": "income_low",
    "hbo_of_wo": "edu_appl_sci",
}
BUURT_COLUMNS = {
    "inwoners": "inwoners",
    "huishoudens": "huishoudens",
    "omgevingsadressendichtheid": "adressendichtheid",
    "lbm_afwijking": "afw",
    "lbm_overlast": "onv",
    "lbm_samenhang": "soc",
    "lbm_fysiek": "fys",
    "lbm_voorzieningen": "vrz",
    "lbm_woningvoorraad": "won",
    "woz_waarde": "wozWaarde",
    "koopwoningen": "koopwoningen",
    "misdrijven": "misdrijven_per1000",
    "ervaren_gezondheid": "goedErvarenGezondheid",
}


def national_catalogue() -> Catalogue:
    """Return the catalogue with the figures that only these sets hold."""
    catalogue = load_catalogue()
    pattern = catalogue.indicators["netto_arbeidsparticipatie"]
    extra = {
        name: pattern.model_copy(
            update={"id": name, "domain": domain, "polarity": polarity, "denominator": ("inwoners",), **other}
        )
        for name, domain, polarity, other in (
            ("personen_laagste_inkomen", "bestaanszekerheid", Polarity.HIGHER_IS_WORSE, {}),
            ("hbo_of_wo", "opgroeien_en_leren", Polarity.LOWER_IS_WORSE, {}),
            ("ervaren_gezondheid", "gezondheid_en_zorg", Polarity.LOWER_IS_WORSE, {}),
            (
                "misdrijven",
                "leefbaarheid_en_veiligheid",
                Polarity.HIGHER_IS_WORSE,
                {"unit": "per 1.000 inwoners", "per": 1000, "noise": "poisson", "valid": (0, 5000)},
            ),
        )
    }
    return catalogue.model_copy(update={"indicators": catalogue.indicators | extra})


def wijken_2022(national: Path) -> tuple[LevelTable, ScoreSpec]:
    """Return the 3,340 wijken of 2022, and a specification of the four domains that they hold."""
    raw = gpd.read_parquet(national / "wijken_2022.parquet").set_index("code").sort_index()
    gemeente = "GM" + raw.index.str[2:6]
    areas = {"naam": raw["name"], "wijk_code": raw.index, "wijk_naam": raw["name"]}
    return _table(Level.WIJK, 2022, raw, areas, gemeente, WIJK_COLUMNS), _spec("wijken")


def buurten_2024(national: Path) -> tuple[LevelTable, ScoreSpec]:
    """Return the 12,147 buurten of 2024 with a Leefbaarometer, and a specification of their three domains."""
    raw = gpd.read_parquet(national / "buurten_2024.parquet").set_index("buurtcode").sort_index()
    wijk = "WK" + raw.index.str[2:8]
    areas = {"naam": raw["buurtnaam"], "wijk_code": wijk, "wijk_naam": wijk}
    return _table(Level.BUURT, 2024, raw, areas, raw["gemeentecode"], BUURT_COLUMNS), _spec("buurten")


def _spec(name: str) -> ScoreSpec:
    return load_spec(HERE / f"national_{name}.toml", national_catalogue())


def _table(
    level: Level,
    year: int,
    raw: gpd.GeoDataFrame,
    areas: dict[str, pd.Series | pd.Index],
    gemeente: pd.Series | pd.Index,
    columns: dict[str, str],
) -> LevelTable:
    values = pd.DataFrame(raw[list(columns.values())]).set_axis(list(columns), axis=1).astype("float64")
    known = values.notna()
    indicators = national_catalogue().indicators
    return LevelTable(
        level=level,
        year=year,
        areas=gpd.GeoDataFrame(
            {**areas, "gemeente_code": gemeente, "gemeente_naam": raw.get("gemeentenaam", gemeente)},
            geometry=raw.geometry,
            index=raw.index,
        ),
        values=values,
        denominators=pd.DataFrame({name: _denominator(indicators[name], values) for name in columns}),
        status=known.replace({True: Status.OBSERVED, False: Status.NOT_PUBLISHED}).astype("str"),
        peiljaar=pd.DataFrame(year, values.index, values.columns).where(known).astype("Int16"),
        parts_missing=pd.DataFrame(0, values.index, values.columns).astype("Int32"),
    )


def _denominator(indicator: Indicator, values: pd.DataFrame) -> pd.Series:
    carried = [name for name in indicator.denominator if name in values]
    if len(carried) < max(1, len(indicator.denominator)):
        return pd.Series(float("nan"), index=values.index)
    return values[carried].sum(axis=1, min_count=len(carried))
