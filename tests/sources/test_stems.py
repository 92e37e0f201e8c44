"""Stems of keys and titles."""

import json
from pathlib import Path

import pytest

from wijkatlas.sources.stems import stem_of_key, stem_of_title


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("In bezit woningcorporatie", "Inbezitwoningcorporatie"),
        ("0 tot 15 jaar", "k_0tot15jaar"),
        ("Wmo-cliënten ", "Wmoclienten"),
        ("Gemiddelde WOZ-waarde van woningen", "GemiddeldeWOZwaardevanwoningen"),
        ("", ""),
    ],
)
def test_stem_of_a_title(title: str, stem: str) -> None:
    assert stem_of_title(title) == stem


@pytest.mark.parametrize(
    ("key", "stem"),
    [("k_0Tot15Jaar_8", "k_0Tot15Jaar"), ("Eenzaam_25", "Eenzaam"), ("ID", None), ("k_65", "k")],
)
def test_stem_of_a_key(key: str, stem: str | None) -> None:
    assert stem_of_key(key) == stem


@pytest.mark.national
def test_every_key_of_a_real_table_follows_from_its_title(national: Path) -> None:
    properties = json.loads((national / "cbs_84799NED_excerpt.json").read_bytes())["DataProperties"]
    topics = [entry for entry in properties if entry["Type"] == "Topic"]
    assert len(topics) > 100
    for topic in topics:
        assert stem_of_title(topic["Title"]).lower() == str(stem_of_key(topic["Key"])).lower()
