"""The catalogue: every entry valid, every entry used, and nothing about origin."""

import copy
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from wijkatlas.catalog import ROOT, build_catalogue, load_catalogue, read_toml
from wijkatlas.catalog.models import Catalogue
from wijkatlas.errors import CatalogueError
from wijkatlas.scoring.spec import load_spec

CATALOGUE = load_catalogue()
ORIGIN = re.compile(
    r"herkomst|migrati|westers|autochto|allochto|nationalit|geloof|religi|kerk|\btaal|geboorteland"
    r"|marokk|turk|surina|antill",
    re.IGNORECASE,
)


def raw() -> dict[str, Any]:
    tables = {name: read_toml(ROOT / f"{name}.toml") for name in ("rules", "sources", "domains", "columns")}
    tables["indicators"] = {
        key: entry for file in (ROOT / "indicators").iterdir() for key, entry in read_toml(file).items()
    }
    return copy.deepcopy(tables)


def test_there_are_enough_indicators() -> None:
    assert len(CATALOGUE.indicators) >= 24
    assert sum(indicator.scored for indicator in CATALOGUE.indicators.values()) >= 19
    assert len(CATALOGUE.domains) == 6


def test_every_entry_is_used() -> None:
    spec = load_spec("deltaplan", CATALOGUE)
    scored = {name for i in spec.indicators for name in (i.id, i.fallback) if name}
    assert scored == {i.id for i in CATALOGUE.indicators.values() if i.scored}
    assert {i.source for i in CATALOGUE.indicators.values()} | {"grenzen"} == set(CATALOGUE.sources)
    assert {i.domain for i in CATALOGUE.indicators.values() if i.domain} == set(CATALOGUE.domains)
    for indicator in CATALOGUE.indicators.values():
        years = CATALOGUE.sources[indicator.source].tables
        assert any(indicator.stems(year) for year in years), indicator.id


def test_a_scored_indicator_stands_under_its_own_domain() -> None:
    for domain in load_spec("deltaplan", CATALOGUE).domains:
        for indicator in domain.indicators:
            assert CATALOGUE.indicators[indicator.id].domain == domain.id


def test_nothing_is_about_origin() -> None:
    for indicator in CATALOGUE.indicators.values():
        stems = " ".join(stem for column in indicator.columns for stem in column.stems)
        text = f"{indicator.id} {indicator.label} {indicator.definition} {stems}"
        assert not ORIGIN.search(text), text


def test_only_terms_that_open_licences_allow() -> None:
    assert {source.licence for source in CATALOGUE.sources.values()} <= {"CC BY 4.0", "CC0 1.0"}


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda t: t["indicators"]["bijstand"].update(colour="red"), "indicators.bijstand.colour"),
        (lambda t: t["indicators"]["bijstand"].pop("unit"), "indicators.bijstand.unit"),
        (lambda t: t["indicators"]["bijstand"].update(denominator=["koopwoningen"]), "koopwoningen"),
        (lambda t: t["indicators"]["bijstand"].update(denominator=[]), "bijstand: a scored indicator"),
        (lambda t: t["indicators"]["bijstand"].update(source="krant"), "krant"),
        (lambda t: t["indicators"]["bijstand"].update(valid=[5, 5]), "valid range is empty"),
        (lambda t: t["indicators"]["bijstand"].update(domain="geluk"), "geluk"),
        (
            lambda t: t["indicators"]["bijstand"]["columns"].append(
                {"stems": ["Bijstand"], "first_year": 2020, "last_year": 2021}
            ),
            "bijstand: years of its columns overlap",
        ),
        (
            lambda t: t["indicators"]["basisopleiding"].update(per=1),
            "basisopleiding: a percentage is per 100",
        ),
        (
            lambda t: t["indicators"]["woz_waarde"].update(noise="poisson"),
            "woz_waarde: noise needs the count behind the figure",
        ),
        (lambda t: t["rules"].pop("min_parts_covered"), "rules.min_parts_covered"),
    ],
)
def test_a_wrong_entry_is_refused_by_name(spoil: Callable[[dict[str, Any]], object], told: str) -> None:
    tables = raw()
    spoil(tables)
    with pytest.raises(CatalogueError, match=re.escape(told)):
        build_catalogue(tables)


def test_it_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        CATALOGUE.indicators["bijstand"].label = "iets anders"  # type: ignore[misc]
    assert isinstance(CATALOGUE, Catalogue)


def test_every_shipped_specification_loads() -> None:
    names = [f.name.removesuffix(".toml") for f in (files("wijkatlas.catalog") / "scores").iterdir()]
    assert {"deltaplan", "deltaplan-zonder-wonen"} <= set(names)
    for name in names:
        assert load_spec(name, CATALOGUE).id == name
