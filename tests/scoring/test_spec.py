"""Score specifications: what ships is sound, and what is not sound is refused with a reason."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.scoring.synthetic import CATALOGUE, SPEC
from wijkatlas.errors import CatalogueError
from wijkatlas.scoring.spec import SCORES, ScoreSpec, Treatment, load_spec

SHIPPED = sorted(Path(str(SCORES)).glob("*.toml"))


@pytest.mark.parametrize("name", [file.stem for file in SHIPPED])
def test_what_ships_is_sound(name: str) -> None:
    spec = load_spec(name, CATALOGUE)
    assert spec.id == name
    assert sum(spec.shares.values()) == pytest.approx(1)
    assert all(CATALOGUE.indicators[i.id].domain == d.id for d in spec.domains for i in d.indicators)


def test_poverty_weighs_most() -> None:
    shares = SPEC.shares
    assert max(SPEC.domains, key=lambda d: d.weight).id == "bestaanszekerheid"
    assert max(shares, key=shares.__getitem__) == "personen_in_armoede"


def test_every_weight_in_the_file_gives_its_reason() -> None:
    lines = (Path(str(SCORES)) / "deltaplan.toml").read_text(encoding="utf-8").splitlines()
    weights = [i for i, line in enumerate(lines) if line.startswith("weight =")]
    assert len(weights) == len(SPEC.domains) + len(SPEC.indicators)
    assert all("#" in lines[i] or lines[i - 1].startswith("#") for i in weights)


def test_a_variant_changes_only_what_it_declares() -> None:
    variant = load_spec("deltaplan-zonder-wonen", CATALOGUE)
    assert [d.id for d in variant.domains] == [d.id for d in SPEC.domains if d.id != "wonen"]
    assert (
        variant.model_copy(
            update={
                "domains": SPEC.domains,
                "id": SPEC.id,
                "title": SPEC.title,
                "description": SPEC.description,
            }
        )
        == SPEC
    )
    assert load_spec("deltaplan-bijgetrokken", CATALOGUE).shrinkage.apply


def test_carried_by_a_table_of_an_earlier_year() -> None:
    present = {i.id for i in SPEC.indicators} - {"personen_in_armoede", "wmo_clienten", "bijstand"}
    carried = SPEC.carried_by(present | {"huishoudens_laag_inkomen"})
    assert carried.indicators[0].id == "huishoudens_laag_inkomen"
    assert carried.indicators[0].weight == SPEC.indicators[0].weight
    assert "gezondheid_en_zorg" not in [d.id for d in carried.domains]
    assert sum(carried.shares.values()) == pytest.approx(1)
    assert SPEC.carried_by(set()).domains == ()


def raw() -> dict[str, Any]:
    return SPEC.model_dump(by_alias=True, mode="json")


def first_domain(**changes: object) -> dict[str, Any]:
    domains = raw()["domain"]
    return {"domain": [domains[0] | changes, *domains[1:]]}


def first_indicator(**changes: object) -> dict[str, Any]:
    indicators = raw()["domain"][0]["indicator"]
    return first_domain(indicator=[indicators[0] | changes, *indicators[1:]])


def write(folder: Path, content: dict[str, Any]) -> Path:
    """Write `content` as TOML, in the one form that nested tables need here."""
    file = folder / "spec.toml"
    file.write_text(
        "\n".join(f"{key} = {inline(value)}" for key, value in content.items() if value is not None)
    )
    return file


def inline(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case dict():
            return "{" + ", ".join(f"{k} = {inline(v)}" for k, v in value.items() if v is not None) + "}"
        case list() | tuple():
            return "[" + ", ".join(inline(v) for v in value) + "]"
        case _:
            return repr(value)


def test_a_specification_is_replayed_from_its_own_file(tmp_path: Path) -> None:
    assert load_spec(write(tmp_path, raw()), CATALOGUE) == SPEC


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (lambda: {"colour": 1}, "colour"),
        (lambda: {"treatment": {"max_skew": 2}}, "max_kurtosis"),
        (lambda: first_indicator(weight=0), "greater than 0"),
        (lambda: first_indicator(weight=-1), "greater than 0"),
        (lambda: first_domain(weight=0), "greater than 0"),
        (lambda: first_domain(indicator=[]), "at least 1"),
        (lambda: {"domain": []}, "at least 1"),
        (lambda: first_indicator(id="bijstand"), "twice: bijstand"),
        (lambda: first_indicator(fallback="woz_waarde"), "twice: woz_waarde"),
        (lambda: first_domain(id="wonen"), "twice: wonen"),
        (lambda: first_indicator(id="geluk"), "unknown indicator: geluk"),
        (lambda: first_indicator(fallback="geluk"), "unknown indicator: geluk"),
        (lambda: first_domain(id="geluk"), "unknown domain: geluk"),
        (lambda: first_indicator(id="inwoners"), "context, never scored: inwoners"),
        (
            lambda: {"aggregation": {"within_domains": "geometric", "between_domains": "arithmetic"}},
            "above 0",
        ),
        (lambda: {"aggregation": {"within_domains": "arithmetic", "between_domains": "harmonic"}}, "above 0"),
        (lambda: {"normalisation": {"method": "min_max", "lower": 5, "upper": 5}}, "less than upper"),
        (
            lambda: {
                "normalisation": {
                    "method": "goalposts",
                    "lower": 0,
                    "upper": 1,
                    "posts": {"bijstand": [0, 9]},
                }
            },
            "goalposts lack",
        ),
        (
            lambda: {
                "uncertainty": raw()["uncertainty"] | {"class": [{"label": "x", "min_probability": 0.5}]}
            },
            "0",
        ),
        (lambda: {"uncertainty": raw()["uncertainty"] | {"sobol_size": 100}}, "power of two"),
        (lambda: {"uncertainty": raw()["uncertainty"] | {"weight_noise": 1.0}}, "less than 1"),
    ],
)
def test_what_is_refused(tmp_path: Path, changes: Callable[[], dict[str, Any]], problem: str) -> None:
    with pytest.raises(CatalogueError, match=problem) as caught:
        load_spec(write(tmp_path, raw() | changes()), CATALOGUE)
    assert "\n" not in str(caught.value)


def test_no_choice_has_a_default() -> None:
    for key in set(raw()) - {"id"}:
        with pytest.raises(ValidationError, match="Field required"):
            ScoreSpec.model_validate({k: v for k, v in raw().items() if k != key})


def test_an_absent_or_broken_file_and_a_wrong_variant(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"nowhere\.toml"):
        load_spec(tmp_path / "nowhere.toml", CATALOGUE)
    broken = tmp_path / "broken.toml"
    broken.write_text("id = ")
    with pytest.raises(CatalogueError, match=r"broken\.toml"):
        load_spec(broken, CATALOGUE)
    broken.write_text('base = "deltaplan"\ndrop_domains = ["geluk"]')
    with pytest.raises(CatalogueError, match="no domain to drop: geluk"):
        load_spec(broken, CATALOGUE)


def test_a_base_is_found_beside_its_variant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "eigen").mkdir()
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "eigen", raw() | {"id": "eigen"})
    (tmp_path / "variant.toml").write_text('base = "eigen/spec.toml"\nid = "variant"')
    (tmp_path / "eigen" / "variant.toml").write_text('base = "spec.toml"\nid = "variant"')
    expected = SPEC.model_copy(update={"id": "variant"})
    for file in (tmp_path / "variant.toml", tmp_path / "eigen" / "variant.toml", "eigen/variant.toml"):
        assert load_spec(file, CATALOGUE) == expected


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('base = "spec.toml"', "is its own base"),
        ("base = 5", "No such file"),
        ('base = "deltaplan"\ndrop_domains = 5', "domains that cannot be read"),
        ('base = "deltaplan"\ndomain = ["wonen"]', "domains that cannot be read"),
        ('base = "deltaplan"\ndrop_domains = [["wonen"]]', "domains that cannot be read"),
    ],
)
def test_a_variant_of_any_shape_is_read_or_refused(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "spec.toml").write_text(content)
    with pytest.raises(CatalogueError, match=problem):
        load_spec(tmp_path / "spec.toml", CATALOGUE)


def test_points_grow_with_the_number_of_areas() -> None:
    treatment = Treatment(max_skew=2, max_kurtosis=3.5, max_points=5, max_share=0.01)
    assert [treatment.points(n) for n in (91, 500, 14_500)] == [5, 5, 145]
    assert [treatment.points(500, factor) for factor in (0, 0.6, 2)] == [0, 3, 10]
