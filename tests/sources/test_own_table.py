"""A municipality's own table: read whatever its form, checked to the last cell, and scored like any other."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from wijkatlas.areas import Level, Status
from wijkatlas.assemble import assemble
from wijkatlas.catalog import Catalogue
from wijkatlas.catalog.own import extend, read_own
from wijkatlas.errors import CatalogueError, SourceError
from wijkatlas.scoring.score import score
from wijkatlas.scoring.spec import SCORES, load_spec
from wijkatlas.snapshots import SnapshotStore
from wijkatlas.sources import read_sources
from wijkatlas.sources.own_table import describe, load_own
from wijkatlas.sources.table import SourceTable

GUIDE = Path(__file__).parents[2] / "docs" / "eigen-cijfers.md"
SOURCE = "voedselbank, table voedselbank-2024.csv"
COUNT = "huishoudens_bij_voedselbank"
CODES = ["BU05991081", "BU05991082", "BU05991086", "BU05991087"]


def blocks(language: str) -> list[str]:
    """Return the guide's code blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture
def toml() -> str:
    return blocks("toml")[0]


@pytest.fixture
def own(tmp_path: Path, toml: str) -> Path:
    """Return the guide's own catalogue file with its table beside it."""
    (tmp_path / "voedselbank-2024.csv").write_text(blocks("csv")[0], encoding="utf-8")
    file = tmp_path / "voedselbank.toml"
    file.write_text(toml, encoding="utf-8")
    return file


def rewrite(own: Path, **changes: str) -> Path:
    """Replace values of the catalogue file: `year="2023"` sets that key, wherever it stands."""
    text = own.read_text(encoding="utf-8")
    for key, value in changes.items():
        text, found = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}" if value else "", text)
        assert found == 1
    own.write_text(text, encoding="utf-8")
    return own


def write_table(own: Path, content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    (own.parent / "voedselbank-2024.csv").write_bytes(data)
    return own


def counts(table: SourceTable) -> dict[str, float]:
    return {str(code): figure for code, figure in table.frame["voedselbank"].dropna().items()}


def test_the_guides_example_is_read(own: Path, catalogue: Catalogue) -> None:
    extended, table = load_own(own, catalogue)
    assert (table.source, table.table, table.year) == ("voedselbank", "voedselbank-2024.csv", 2024)
    assert table.columns == {"voedselbank": COUNT}
    assert table.frame.index.is_monotonic_increasing
    assert table.frame.loc["BU05991081", "voedselbank"] == 245
    assert list(table.frame.index[table.frame["voedselbank"].isna()]) == ["BU05991572"]
    assert extended.sources["voedselbank"].attribution == "Gemeente Rotterdam, voedselbank"
    assert extended.sources["voedselbank"].tables == {2024: "voedselbank-2024.csv"}
    indicator = extended.indicators["voedselbank"]
    assert (indicator.source, indicator.stems(2024), indicator.stems(2023)) == ("voedselbank", (COUNT,), ())
    assert list(extended.indicators) == [*catalogue.indicators, "voedselbank"]
    assert "voedselbank" not in catalogue.indicators


def test_the_guide_names_every_domain_and_key(toml: str, catalogue: Catalogue) -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert all(f"`{domain}`" in guide for domain in catalogue.domains)
    words = {"label", "definition", "unit", "per"}
    entry = tomllib.loads(toml)["indicators"]["voedselbank"]
    assert all(f"| `{key}` |" in guide for key in entry.keys() - words)


def test_its_indicator_is_scored_like_any_other(
    own: Path, catalogue: Catalogue, store: SnapshotStore
) -> None:
    sources = read_sources(store, store.lock(), catalogue, 2024)
    codes = sources.boundaries.index
    rows = [f"{code};{i + 10}" for i, code in enumerate(codes) if i % 9]
    extended, table = load_own(write_table(own, "\n".join([f"buurtcode;{COUNT}", *rows])), catalogue)
    assembly = assemble(replace(sources, tables=sources.tables | {table.source: table}), extended)
    buurten = assembly.tables[Level.BUURT]
    households = sources.tables["kwb"].frame["huishoudens"]
    assert buurten.values.loc[codes[1], "voedselbank"] == 11 / households[codes[1]] * 1000
    assert buurten.status.loc[codes[9], "voedselbank"] == Status.NO_ROW
    assert buurten.peiljaar.loc[codes[1], "voedselbank"] == 2024

    shipped = (SCORES / "deltaplan.toml").read_text(encoding="utf-8")
    after = 'id = "bestaanszekerheid"\n'
    weighted = after + shipped.split(after)[1].split("[[domain.indicator]]")[0] + blocks("toml")[1]
    (own.parent / "score.toml").write_text(
        shipped.replace(after + shipped.split(after)[1].split("[[domain.indicator]]")[0], weighted),
        encoding="utf-8",
    )
    with pytest.raises(CatalogueError, match="unknown indicator: voedselbank"):
        load_spec(own.parent / "score.toml", catalogue)
    spec = load_spec(own.parent / "score.toml", extended)
    scores = score(buurten, spec, extended)
    assert spec.shares["voedselbank"] > 0
    without = score(buurten, load_spec("deltaplan", extended), extended)
    scored = scores.overview["score"].notna()
    assert scored.sum() > 50
    assert (scores.overview["score"] != without.overview["score"])[scored].mean() > 0.9
    assert not scores.weights.loc[scored, "voedselbank"].isna().any()


def test_a_table_of_wijken_says_nothing_of_buurten(
    own: Path, catalogue: Catalogue, store: SnapshotStore
) -> None:
    sources = read_sources(store, store.lock(), catalogue, 2024)
    content = f"buurtcode;{COUNT}\nWK059910;70\nWK059915;90\n"
    share = rewrite(own, kind='"intensive"', per="1", valid="[0, 100]")
    extended, table = load_own(write_table(share, content), catalogue)
    tables = assemble(replace(sources, tables=sources.tables | {table.source: table}), extended).tables
    wijken = tables[Level.WIJK].values["voedselbank"]
    assert wijken.dropna().to_dict() == {"WK059910": 70, "WK059915": 90}
    assert tables[Level.BUURT].values["voedselbank"].isna().all()
    assert set(tables[Level.BUURT].status["voedselbank"]) == {Status.NO_ROW}
    assert describe(table)[["buurten", "wijken", "gemeenten"]].to_numpy().tolist() == [[0, 2, 0]]


@pytest.mark.parametrize(
    "content",
    [
        f"buurtcode;{COUNT}\nBU05991081;3,5\nBU05991082;.\nBU05991087;\n",
        f"buurtcode,{COUNT}\nBU05991081,3.5\nBU05991082,.\nBU05991087,\n",
        f"\ufeffbuurtcode,{COUNT}\r\nBU05991081,3.5\r\nBU05991082,.\r\nBU05991087,\r\n\r\n",
        f'"{COUNT}"; buurtcode\n3,5;BU05991081  \n. ; BU05991082\n;BU05991087\n;\n ;',
    ],
    ids=["semicolons", "commas", "with a BOM and CRLF", "padded, other order, blank rows"],
)
def test_csv_in_both_dialects(own: Path, catalogue: Catalogue, content: str) -> None:
    table = load_own(write_table(own, content), catalogue)[1]
    assert counts(table) == {"BU05991081": 3.5}
    assert list(table.frame.index) == ["BU05991081", "BU05991082", "BU05991087"]


@pytest.fixture
def cells() -> pd.DataFrame:
    figures: list[float | None] = [245, None, 0, 130.25]
    return pd.DataFrame({"buurtcode": CODES, COUNT: figures, "naam": ["a", "b", "c", "d"]})


EXPECTED = {"BU05991081": 245, "BU05991086": 0, "BU05991087": 130.25}


def test_xlsx(own: Path, catalogue: Catalogue, cells: pd.DataFrame) -> None:
    pyogrio.write_dataframe(cells, own.parent / "tabel.xlsx", driver="XLSX")
    assert counts(load_own(rewrite(own, file='"tabel.xlsx"'), catalogue)[1]) == EXPECTED


def test_xlsx_with_text_among_the_figures(own: Path, catalogue: Catalogue, cells: pd.DataFrame) -> None:
    pyogrio.write_dataframe(
        cells.astype({COUNT: object}).replace({COUNT: {245: "#N/A"}}),
        own.parent / "tabel.xlsx",
        driver="XLSX",
    )
    with pytest.raises(
        SourceError, match=r"column huishoudens_bij_voedselbank: not a number: BU05991081 \(#N/A\)"
    ):
        load_own(rewrite(own, file='"tabel.xlsx"'), catalogue)


def test_a_workbook_of_several_sheets_needs_a_name(
    own: Path, catalogue: Catalogue, cells: pd.DataFrame
) -> None:
    for sheet in ("toelichting", "cijfers"):
        part = cells if sheet == "cijfers" else cells[["naam"]]
        pyogrio.write_dataframe(part, own.parent / "tabel.xlsx", layer=sheet, driver="XLSX")
    rewrite(own, file='"tabel.xlsx"')
    with pytest.raises(SourceError, match=r"2 layers or sheets; name one as 'layer': toelichting, cijfers"):
        load_own(own, catalogue)
    assert counts(load_own(rewrite(own, key='"buurtcode"\nlayer = "cijfers"'), catalogue)[1]) == EXPECTED
    with pytest.raises(SourceError, match=r"no layer or sheet 'blad1'; it has toelichting, cijfers"):
        load_own(rewrite(own, layer='"blad1"'), catalogue)


@pytest.mark.parametrize("with_shapes", [True, False])
def test_geopackage(own: Path, catalogue: Catalogue, cells: pd.DataFrame, with_shapes: bool) -> None:  # noqa: FBT001
    shapes = [shapely.box(i, 0, i + 1, 1) for i in range(len(cells))]
    frame = gpd.GeoDataFrame(cells, geometry=shapes, crs=28992) if with_shapes else cells
    pyogrio.write_dataframe(frame, own.parent / "tabel.gpkg")
    assert counts(load_own(rewrite(own, file='"tabel.gpkg"'), catalogue)[1]) == EXPECTED


@pytest.mark.parametrize("with_shapes", [True, False])
def test_parquet(own: Path, catalogue: Catalogue, cells: pd.DataFrame, with_shapes: bool) -> None:  # noqa: FBT001
    shapes = [shapely.box(i, 0, i + 1, 1) for i in range(len(cells))]
    frame = gpd.GeoDataFrame(cells, geometry=shapes, crs=28992) if with_shapes else cells
    frame.set_index("buurtcode").to_parquet(own.parent / "tabel.parquet")
    assert counts(load_own(rewrite(own, file='"tabel.parquet"'), catalogue)[1]) == EXPECTED


def test_all_forms_give_the_same_table(own: Path, catalogue: Catalogue, cells: pd.DataFrame) -> None:
    cells[COUNT] = [1 / 3, None, 1e-7, 123456.789]
    cells.to_csv(own.parent / "tabel.csv", index=False)
    cells.to_csv(own.parent / "dutch.csv", index=False, sep=";", decimal=",")
    cells.to_parquet(own.parent / "tabel.parquet")
    pyogrio.write_dataframe(cells, own.parent / "tabel.xlsx", driver="XLSX")
    pyogrio.write_dataframe(cells, own.parent / "tabel.gpkg")
    names = ("tabel.csv", "dutch.csv", "tabel.parquet", "tabel.xlsx", "tabel.gpkg")
    frames = [load_own(rewrite(own, file=f'"{name}"'), catalogue)[1].frame for name in names]
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0], check_exact=True)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (f"buurtcode;{COUNT}\n05991081;3\n", "not an area code: 05991081"),
        (f"buurtcode;{COUNT}\nBU0599108;3\n", "not an area code: BU0599108"),
        (f"buurtcode;{COUNT}\n;3\n", "not an area code: "),
        (f"buurtcode;{COUNT}\nBU05991081;3\nBU05991081;4\n", "areas that occur more than once: BU05991081"),
        (f"buurtcode;{COUNT}\n", "no areas: the table is empty"),
        (f"buurtcode;{COUNT}\nBU05991081;veel\n", r"not a number: BU05991081 \(veel\)"),
        (f"buurtcode;{COUNT}\nBU05991081;1_5\n", r"not a number: BU05991081 \(1_5\)"),
        (f"buurtcode;{COUNT}\nBU05991081;-3\n", r"outside 0 to inf: BU05991081 \(-3.0\)"),
        (f"buurtcode;{COUNT}\nBU05991081;1.500\n", "1.500: with semicolons the decimal sign is a comma"),
        (f"buurtcode;{COUNT}\nBU05991081;1.234,5\n", "1.234,5: with semicolons"),
        (f'buurtcode,{COUNT}\nBU05991081,"1,5"\n', r"not a number: BU05991081 \(1,5\)"),
        (f"buurtcode;{COUNT}\nBU05991081;\nBU05991082;.\n", "not a single figure in it"),
        (f"buurtcode;{COUNT}\nBU05991081;3;4\n", "rows that do not have 2 fields: BU05991081"),
        ("buurtcode;n\nBU05991081;3\n", f"column {COUNT}: no such column; there are buurtcode, n"),
        (f"code;{COUNT}\nBU05991081;3\n", f"column buurtcode: no such column; there are code, {COUNT}"),
        (f"buurtcode;{COUNT};{COUNT}\nBU05991081;3;4\n", f"column {COUNT}: occurs more than once"),
        ("", "column buurtcode: no such column"),
        (f"buurtcode;{COUNT};naam\nBU05991081;3;café\n".encode("cp1252"), "cannot be read as CSV: .*utf-8"),
        (f'buurtcode;{COUNT}\n"BU05991081;3\n', "cannot be read as CSV"),
    ],
)  # fmt: skip
def test_bad_tables_stop_with_a_sentence(
    own: Path, catalogue: Catalogue, content: str | bytes, problem: str
) -> None:
    with pytest.raises(SourceError, match=problem) as caught:
        load_own(write_table(own, content), catalogue)
    assert str(caught.value).startswith(SOURCE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["140", "-1", "100,5"])
def test_a_percentage_that_cannot_be(own: Path, catalogue: Catalogue, value: str) -> None:
    rewrite(own, kind='"intensive"', valid="[0, 100]")
    with pytest.raises(
        SourceError, match=rf"outside 0 to 100: BU05991081 \({float(value.replace(',', '.'))}\)"
    ):
        load_own(write_table(own, f"buurtcode;{COUNT}\nBU05991081;{value}\n"), catalogue)


@pytest.mark.parametrize("name", ["tabel.csv", "tabel.xlsx", "tabel.gpkg", "tabel.parquet"])
def test_an_absent_or_broken_table(own: Path, catalogue: Catalogue, name: str) -> None:
    rewrite(own, file=f'"{name}"')
    with pytest.raises(SourceError, match=f"voedselbank, table {name}: there is no such file"):
        load_own(own, catalogue)
    (own.parent / name).write_bytes(b"\x89PK\x03\x04 no table at all")
    with pytest.raises(SourceError, match=rf"table {name}: cannot be read as {name[6:].upper()}: "):
        load_own(own, catalogue)


def test_a_geopackage_with_a_damaged_page(own: Path, catalogue: Catalogue, cells: pd.DataFrame) -> None:
    path = own.parent / "tabel.gpkg"
    pyogrio.write_dataframe(pd.concat([cells] * 5000), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\xff" * (len(whole) - len(whole) // 2))
    with pytest.raises(SourceError, match=r"tabel.gpkg: cannot be read as GPKG"):
        load_own(rewrite(own, file='"tabel.gpkg"'), catalogue)


def test_a_form_that_is_not_read(own: Path, catalogue: Catalogue) -> None:
    with pytest.raises(SourceError, match=r"tabel.ods: no table that can be read; it can be .csv, .gpkg"):
        load_own(rewrite(own, file='"tabel.ods"'), catalogue)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"label": ""}, "indicators.voedselbank: label: Field required"),
        ({"unit": '"x"\ncolour = "red"'}, "indicators.voedselbank: colour: Extra inputs are not permitted"),
        ({"unit": '"x"\nsource = "kwb"'}, "source follows from the rest of the file; leave it out"),
        ({"title": '"x"\ntables = {}'}, "source: tables follows from the rest of the file; leave it out"),
        ({"key": '"x"\nsheet = 2'}, "sheet: Extra inputs are not permitted"),
        ({"file": ""}, "file: Field required"),
        ({"year": "24"}, "year: Input should be greater than or equal to 2000"),
        ({"homepage": '"gemeente"'}, "source: homepage: Input should be a valid URL"),
        ({"domain": '"schulden"'}, "voedselbank: no domain 'schulden'"),
        ({"domain": ""}, "a scored indicator needs a domain and a denominator"),
        ({"denominator": '["gezinnen"]'}, "'gezinnen' is no extensive indicator"),
        ({"polarity": '"bad"'}, "polarity: Input should be 'higher_is_worse'"),
        ({"valid": "[10, 0]"}, "the valid range is empty"),
        ({"id": '"kwb"'}, "source.id: 'kwb' is taken"),
        ({"no_origin_nationality_religion_or_language": ""}, "religion_or_language: Field required"),
        (
            {"no_origin_nationality_religion_or_language": "false"},
            "religion_or_language: Input should be True",
        ),
        ({"key": "buurtcode"}, "voedselbank.toml: Invalid value"),
    ],
)
def test_bad_catalogue_files_stop_with_a_sentence(
    own: Path, catalogue: Catalogue, changes: dict[str, str], problem: str
) -> None:
    with pytest.raises(CatalogueError, match=re.escape(problem)) as caught:
        load_own(rewrite(own, **changes), catalogue)
    assert str(caught.value).startswith("voedselbank.toml: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "taken", ["bijstand", "score", "buurt_code", "d_wonen", "bijdrage_wonen", "geometry", "fid"]
)
def test_an_id_that_is_taken(own: Path, catalogue: Catalogue, toml: str, taken: str) -> None:
    own.write_text(toml.replace("[indicators.voedselbank]", f"[indicators.{taken}]"), encoding="utf-8")
    with pytest.raises(CatalogueError, match=f"voedselbank.toml: indicators: {taken} is taken"):
        load_own(own, catalogue)


@pytest.mark.parametrize("wrong", ["Voedselbank", "1e_bezoek", "a b", '"<script>"'])
def test_an_id_that_is_no_name(own: Path, catalogue: Catalogue, toml: str, wrong: str) -> None:
    own.write_text(toml.replace("[indicators.voedselbank]", f"[indicators.{wrong}]"), encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"^voedselbank.toml: "):
        load_own(own, catalogue)


def test_two_own_tables_follow_each_other(own: Path, catalogue: Catalogue, toml: str) -> None:
    extended, _ = load_own(own, catalogue)
    with pytest.raises(CatalogueError, match=r"source.id: 'voedselbank' is taken"):
        load_own(own, extended)
    other = own.parent / "jongerenwerk.toml"
    other.write_text(toml.replace('id = "voedselbank"', 'id = "jongerenwerk"'), encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"jongerenwerk.toml: indicators: voedselbank is taken"):
        load_own(other, extended)
    other.write_text(other.read_text().replace("[indicators.voedselbank]", "[indicators.jongerenwerk]"))
    both, table = load_own(other, extended)
    assert {"voedselbank", "jongerenwerk"} <= both.indicators.keys()
    assert table.columns == {"jongerenwerk": COUNT}


def test_an_own_count_may_be_a_denominator(own: Path, catalogue: Catalogue, toml: str) -> None:
    raw: dict[str, Any] = tomllib.loads(toml)
    count = raw["indicators"]["voedselbank"]
    raw["indicators"] = {
        "signalen": count | {"denominator": [], "polarity": "context", "per": 1},
        "signalen_opgelost": count | {"denominator": ["signalen"], "per": 100},
    }
    described = type(read_own(own)).model_validate(raw)
    assert extend(catalogue, described, "x").indicators["signalen_opgelost"].denominator == ("signalen",)


def test_a_column_without_a_name_of_its_own_is_the_indicators(own: Path, catalogue: Catalogue) -> None:
    rewrite(own, column="")
    table = load_own(write_table(own, "buurtcode,voedselbank\nBU05991081,3\n"), catalogue)[1]
    assert counts(table) == {"BU05991081": 3}


def test_absent_or_foreign_catalogue_file(own: Path, catalogue: Catalogue) -> None:
    with pytest.raises(CatalogueError, match=r"^nergens.toml: .*No such file"):
        load_own(own.parent / "nergens.toml", catalogue)
    own.write_bytes("title = 'café'".encode("cp1252"))
    with pytest.raises(CatalogueError, match=r"^voedselbank.toml: .*utf-8"):
        load_own(own, catalogue)


def test_the_summary_tells_what_to_check(own: Path, catalogue: Catalogue) -> None:
    summary = describe(load_own(own, catalogue)[1])
    assert summary.loc["voedselbank"].to_dict() == {
        "column": COUNT,
        "buurten": 6,
        "wijken": 0,
        "gemeenten": 0,
        "missing": 1,
        "lowest": 130,
        "median": 202.5,
        "highest": 260,
    }
