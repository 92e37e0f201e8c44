"""The user's settings: `wijkatlas.toml` and the environment, validated once."""

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, ValidationError

from wijkatlas.catalog.models import Entry, Name, Protocol, Source, Text, first_problem
from wijkatlas.errors import SettingsError

FILE_NAME = "wijkatlas.toml"
PREFIX = "WIJKATLAS_"
BETWEEN = "__"  # WIJKATLAS_NETWORK__ATTEMPTS is `attempts` under [network]


def check_address(address: str) -> str:
    """
    Refuse an address that is not https; plain http is for this machine only.

    Raises
    ------
    ValueError
        Naming the address.
    """
    parts = urlsplit(address)
    if parts.scheme == "https" and parts.hostname:
        return address
    if parts.scheme == "http" and is_loopback(parts.hostname or ""):
        return address
    raise ValueError(f"{address}: only https is allowed, and http on this machine's own 127.0.0.1")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class NetworkSettings(Entry):
    """How patient a fetch is, and how much it takes."""

    connect_timeout: float = Field(default=10, gt=0)  # seconds
    read_timeout: float = Field(default=60, gt=0)  # seconds without a byte
    deadline: float = Field(default=900, gt=0)  # seconds for one whole reply, however slowly it drips in
    attempts: int = Field(default=5, ge=1, le=20)  # per page
    backoff: float = Field(default=2, ge=0)  # seconds before the second attempt; doubles with each next one
    longest_wait: float = Field(default=300, ge=0)  # seconds; who asks for more patience is tried another day
    jitter_seed: int | None = None  # makes the waits repeatable
    trust_days: int = Field(default=30, ge=0)  # of a reply that gives no way to ask whether it changed
    max_reply: int = Field(default=1_000_000_000, gt=0)  # bytes of one reply, unpacked


class ServiceSettings(Entry):
    """Where one source is fetched from, where that is not what the catalogue says."""

    protocol: Protocol | None = None
    address: Annotated[Text, AfterValidator(check_address)] | None = None  # may hold {table} and {year}
    enabled: bool = True  # an optional source can be left out


def check_timezone(name: str) -> str:
    """Refuse a time zone that the machine does not know."""
    if name not in available_timezones():
        raise ValueError(f"{name} is no time zone; Europe/Amsterdam is one")
    return name


def check_webhook(secret: SecretStr) -> SecretStr:
    """Refuse an unsafe address, without repeating it: who knows a webhook can use it."""
    try:
        check_address(secret.get_secret_value())
    except ValueError:
        raise ValueError("only https is allowed, and http on this machine's own 127.0.0.1") from None
    return secret


class EditionSettings(Entry):
    """What an unattended run makes: a sample, or the country in a year."""

    sample: str = ""  # an embedded sample, made offline
    year: int | None = Field(default=None, ge=2004, le=2100)  # of the country, fetched from the sources
    spec: Text = "deltaplan"
    variant: Text = "deltaplan-zonder-wonen"
    own: tuple[Path, ...] = ()  # catalogue files of a municipality's own tables
    cluster: Annotated[str, StringConstraints(pattern=r"^((tcp|tls)://\S+)?$")] = (
        ""  # Dask's, for flows/many.py
    )
    keep: int | None = Field(default=None, ge=1)  # editions of a region that stay on the shelf; None: all
    data: Path = Path("data")  # holds the raw store and the samples
    out: Path = Path("outputs")


class ScheduleSettings(Entry):
    """When an unattended run is made, and who is told of it."""

    cron: Annotated[str, StringConstraints(pattern=r"^\S+( \S+){4}$")] = "0 6 * * *"  # every day at six
    timezone: Annotated[str, AfterValidator(check_timezone)] = "Europe/Amsterdam"
    overlap: Literal["wait", "stop"] = "wait"  # what a run does while the one before it is still busy
    retries: int = Field(default=2, ge=0, le=10)  # of a whole fetch, after the network's own attempts
    retry_delay: float = Field(default=300, ge=0)  # seconds
    log: Literal["text", "json"] = "text"
    webhook: Annotated[SecretStr, AfterValidator(check_webhook)] | None = None  # is told of a failed run
    silence: float = Field(default=50, gt=0)  # hours without a good run after which `status` is critical


class UserSettings(Entry):
    """All settings; each has a default."""

    edition: EditionSettings = EditionSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    network: NetworkSettings = NetworkSettings()
    sources: dict[Name, ServiceSettings] = Field(default_factory=dict)

    def service(self, source: Source, year: int) -> tuple[Protocol, str]:
        """
        Return how and where the table of a source that serves `year` is fetched.

        Raises
        ------
        SettingsError
            The source has no such protocol, or its address is not safe.
        """
        chosen = self.sources.get(source.id, ServiceSettings())
        protocol = chosen.protocol or next(iter(source.services))
        if protocol not in source.services:
            offer = ", ".join(source.services)
            raise SettingsError(f"sources.{source.id}.protocol: {protocol} is not one of {offer}")
        address = chosen.address or source.services[protocol]
        try:
            return protocol, check_address(address.format(table=source.tables[year], year=year))
        except (ValueError, LookupError, AttributeError) as error:  # unsafe, or an unknown placeholder
            raise SettingsError(f"sources.{source.id}.address: {error}") from error

    def enabled(self, source: Source) -> bool:
        """Whether a source is fetched; one that an edition cannot do without always is."""
        return not source.optional or self.sources.get(source.id, ServiceSettings()).enabled


def load_settings(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> UserSettings:
    """
    Read the settings file, then let the environment have the last word.

    Parameters
    ----------
    path
        The file; without one, `wijkatlas.toml` in the working directory if it is there.
    environment
        Variables such as `WIJKATLAS_SOURCES__KWB__ADDRESS`: a setting's path in capitals, with two
        underscores between its parts.

    Raises
    ------
    SettingsError
        Naming the file or variable, the setting and what is wrong with it.
    """
    file = path or Path(FILE_NAME)
    raw = read_toml(file) if path or file.exists() else {}
    for variable, value in sorted(environment.items()):
        if variable.startswith(PREFIX) and BETWEEN in variable:
            place(raw, variable.removeprefix(PREFIX).lower().split(BETWEEN), value, variable)
    try:
        return UserSettings.model_validate(raw)
    except ValidationError as error:
        raise SettingsError(f"{file} or environment: {first_problem(error)}") from error


def read_toml(file: Path) -> dict[str, Any]:
    """Parse a settings file."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # absent, not UTF-8 or no TOML
        raise SettingsError(f"{file}: {error}") from error


def place(raw: dict[str, Any], path: list[str], value: str, variable: str) -> None:
    """Set the setting at `path` to the text of an environment variable."""
    for part in path[:-1]:
        raw = raw.setdefault(part, {})
        if not isinstance(raw, dict):
            raise SettingsError(f"{variable}: {part} is no group of settings")
    raw[path[-1]] = value
