"""What can go wrong, in words for the person who must act on it."""


class WijkatlasError(Exception):
    """Any expected failure; its text is one line that says what is wrong and what to do."""


class SettingsError(WijkatlasError):
    """A setting is unknown, malformed or unsafe."""


class CatalogueError(WijkatlasError):
    """The catalogue or a score specification contradicts itself."""


class SnapshotError(WijkatlasError):
    """A raw snapshot is absent, altered or unreadable."""


class SourceError(WijkatlasError):
    """A source's reply does not hold what the catalogue says it holds."""

    def __init__(self, problem: str, *, source: str, table: str = "", column: str = "") -> None:
        where = ", ".join(
            part for part in (source, table and f"table {table}", column and f"column {column}") if part
        )
        super().__init__(f"{where}: {problem}")


class ScoringError(WijkatlasError):
    """The figures cannot be scored by this specification."""


class PublishError(WijkatlasError):
    """An edition cannot be written, or fails its own checks; the last good one stays."""


def some(values: object, most: int = 5) -> str:
    """Name the first few of `values` and how many more there are, for an error's text."""
    listed = sorted(str(value) for value in values)  # type: ignore[attr-defined]
    rest = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + rest


def one_line(text: object, longest: int = 300) -> str:
    """Fit a text that may hold anything on one printable line."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return flat if len(flat) <= longest else f"{flat[:longest]}…"
