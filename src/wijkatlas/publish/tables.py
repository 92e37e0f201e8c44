"""Tables as text: CSV for programs, and CSV as Dutch Excel reads it."""

import csv
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FORMULA = tuple("=+-@\t\r")  # what Excel takes for the start of one


@dataclass(frozen=True)
class Lines:
    """Rows written out as CSV, so that each is written once for all the files that it is in."""

    header: str
    rows: NDArray[np.object_]  # (n,) text with its line end
    encoding: str

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Self:
        """Write for programs: UTF-8, comma, decimal point, an empty field for a missing figure."""
        columns = [plain(frame[name]) for name in frame.columns]
        return cls._written([list(frame.columns), *zip(*columns, strict=True)], "utf-8", lineterminator="\n")

    @classmethod
    def for_excel(cls, frame: pd.DataFrame) -> Self:
        """Write for Dutch Excel: byte-order mark, semicolon, decimal comma; no text starts a formula."""
        columns = [[_for_excel(value) for value in plain(frame[name])] for name in frame.columns]
        rows = [list(frame.columns), *zip(*columns, strict=True)]
        return cls._written(rows, "utf-8-sig", delimiter=";", lineterminator="\r\n")

    @classmethod
    def _written(cls, rows: list[Any], encoding: str, **dialect: Any) -> Self:  # noqa: ANN401
        lines: list[str] = []
        sink = SimpleNamespace(write=lines.append)  # the writer gives it one row at a time
        csv.writer(sink, **dialect).writerows(rows)
        return cls(lines[0], np.array(lines[1:], dtype=object), encoding)

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return some of the rows."""
        return type(self)(self.header, self.rows[rows], self.encoding)

    def write(self, path: Path) -> None:
        """Write a file with a header."""
        path.write_bytes((self.header + "".join(self.rows)).encode(self.encoding))


def plain(column: pd.Series) -> list[Any]:
    """Return a column's values as Python's own; None is a missing one."""
    return column.astype(object).where(column.notna(), None).tolist()


def _for_excel(value: object) -> object:
    match value:
        case float():
            return str(value).replace(".", ",")
        case str() if value.startswith(FORMULA):
            return f"'{value}"
        case _:
            return value
