"""Settings: from the file, then the environment, with nothing unknown or unsafe."""

from pathlib import Path

import pytest

from wijkatlas.catalog import Catalogue, Protocol, load_catalogue
from wijkatlas.errors import SettingsError
from wijkatlas.settings import UserSettings, load_settings

FILE = """
[network]
attempts = 7
[sources.kwb]
protocol = "odata_v4"
address = "https://mirror.example.org/v4"
[sources.gezondheid]
enabled = false
"""


@pytest.fixture
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "wijkatlas.toml"
    path.write_text(FILE)
    return path


def test_without_a_file_everything_has_a_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(environment={}) == UserSettings()


def test_file_in_the_working_directory_is_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    assert load_settings(environment={}).network.attempts == 7


def test_environment_has_the_last_word(file: Path) -> None:
    settings = load_settings(
        file,
        {
            "WIJKATLAS_NETWORK__ATTEMPTS": "2",
            "WIJKATLAS_SOURCES__KWB__ADDRESS": "http://127.0.0.1:8000/v4",
            "WIJKATLAS_NO_SKIP": "1",  # is no setting
            "HOME": "/root",
        },
    )
    assert settings.network.attempts == 2
    assert settings.sources["kwb"].protocol is Protocol.ODATA_V4
    assert settings.sources["kwb"].address == "http://127.0.0.1:8000/v4"


def test_services_come_from_the_catalogue_unless_a_setting_says_otherwise(
    catalogue: Catalogue, file: Path
) -> None:
    sources = catalogue.sources
    assert UserSettings().service(sources["kwb"], 2024) == ("odata_v3", "https://opendata.cbs.nl")
    assert UserSettings().service(sources["grenzen"], 2024) == (
        "features",
        "https://api.pdok.nl/cbs/wijken-en-buurten-2024/ogc/v1/collections/buurten/items",
    )
    settings = load_settings(file, {})
    assert settings.service(sources["kwb"], 2024) == ("odata_v4", "https://mirror.example.org/v4")
    assert settings.enabled(sources["kwb"])
    assert not settings.enabled(sources["gezondheid"])
    bulk = load_settings(file, {"WIJKATLAS_SOURCES__GRENZEN__PROTOCOL": "geopackage"})
    assert bulk.service(sources["grenzen"], 2024)[1].endswith("/2024/atom/downloads/wijkenbuurten_2024.gpkg")


def test_every_address_of_the_catalogue_is_safe(catalogue: Catalogue) -> None:
    for source in catalogue.sources.values():
        for protocol in source.services:
            chosen = UserSettings.model_validate({"sources": {source.id: {"protocol": protocol}}})
            for year in source.tables:
                assert chosen.service(source, year)[1].startswith("https://")


def test_source_that_an_edition_needs_cannot_be_left_out(catalogue: Catalogue) -> None:
    settings = UserSettings.model_validate({"sources": {"kwb": {"enabled": False}}})
    assert settings.enabled(catalogue.sources["kwb"])


@pytest.mark.parametrize(
    "address",
    [
        "http://opendata.cbs.nl",
        "http://127.0.0.1.example.org",
        "http://10.0.0.1/v3",
        "ftp://opendata.cbs.nl",
        "file:///etc/passwd",
        "opendata.cbs.nl",
        "https://",
    ],
)
def test_plain_http_is_for_this_machine_only(address: str) -> None:
    with pytest.raises(SettingsError, match=r"sources\.kwb\.address: .*only https is allowed"):
        load_settings(environment={"WIJKATLAS_SOURCES__KWB__ADDRESS": address})


@pytest.mark.parametrize("address", ["http://localhost:1", "http://[::1]:8000/x", "http://127.8.9.10"])
def test_this_machine_may_be_spoken_to_plainly(address: str) -> None:
    assert load_settings(environment={"WIJKATLAS_SOURCES__KWB__ADDRESS": address}).sources["kwb"].address


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({"WIJKATLAS_NETWORK__ATEMPTS": "2"}, r"network\.atempts: Extra inputs"),
        ({"WIJKATLAS_NETWORK__ATTEMPTS": "0"}, r"network\.attempts: .*greater than or equal to 1"),
        ({"WIJKATLAS_NETWORK__DEADLINE": "soon"}, r"network\.deadline: .*valid number"),
        ({"WIJKATLAS_NET__ATTEMPTS": "1"}, r"net: Extra inputs"),
        ({"WIJKATLAS_SOURCES__KWB__PROTOCOL": "soap"}, r"sources\.kwb\.protocol: Input should be 'odata_v3'"),
        ({"WIJKATLAS_NETWORK__ATTEMPTS__X": "1", "WIJKATLAS_NETWORK__ATTEMPTS": "1"}, "no group of settings"),
    ],
)
def test_wrong_settings_are_named(environment: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        load_settings(environment=environment)


@pytest.mark.parametrize("text", ["[network", "network = 3", "\x00"])
def test_unreadable_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"mine\.toml"):
        load_settings(path, {})


def test_file_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.toml"):
        load_settings(tmp_path / "absent.toml", {})


def test_source_without_the_protocol_names_those_it_has(catalogue: Catalogue) -> None:
    settings = UserSettings.model_validate({"sources": {"kwb": {"protocol": "zip"}}})
    with pytest.raises(SettingsError, match=r"sources\.kwb\.protocol: zip is not one of odata_v3, odata_v4"):
        settings.service(catalogue.sources["kwb"], 2024)


def test_placeholder_that_is_unknown_is_named(catalogue: Catalogue) -> None:
    settings = UserSettings.model_validate({"sources": {"kwb": {"address": "https://example.org/{jaar}"}}})
    with pytest.raises(SettingsError, match=r"sources\.kwb\.address: 'jaar'"):
        settings.service(catalogue.sources["kwb"], 2024)
