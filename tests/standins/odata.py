"""Stand-ins for CBS: one table, served by OData v3 and by OData v4, with the quirks of each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from standins.server import NOT_FOUND, Request, Response, reply_json

Row = dict[str, Any]

V3_PAGE = 10_000
V4_PAGE = 100_000
CLAUSE = re.compile(
    r"(\w+) eq '(.*)'|startswith\((\w+),'(.*)'\)|substringof\('(.*)',(\w+)\)|(\w+) in \((.*)\)"
)


@dataclass
class Table:
    """One table of StatLine. `rows` are as TypedDataSet gives them, keys padded."""

    id: str
    title: str
    properties: list[Row]
    rows: list[Row]
    categories: dict[str, list[Row]] = field(default_factory=dict)  # of every dimension
    period: str = "2024"
    modified: str = "2026-08-01T02:00:00"
    record_count: int | None = None
    looping: bool = False  # the last page links to the first
    elsewhere: str = ""  # where the next page is said to be
    republished: str = ""  # what `modified` becomes once the rows have been asked for

    @property
    def area(self) -> str:
        return next(entry["Key"] for entry in self.properties if entry["Type"].startswith("Geo"))

    def entry(self) -> Row:
        return {
            "Identifier": self.id,
            "Title": self.title,
            "Period": self.period,
            "OutputStatus": "Regulier",
            "Language": "nl",
            "Modified": self.modified,
            "Updated": self.modified,
            "RecordCount": len(self.rows) if self.record_count is None else self.record_count,
            "ColumnCount": len(self.properties),
        }


def chosen(rows: list[Row], query: Mapping[str, str]) -> list[Row]:
    """Filter and select as CBS does: a key without its blanks finds nothing."""
    for clause in filter(None, query.get("$filter", "").split(" and ")):
        match = CLAUSE.fullmatch(clause)
        if match is None:
            raise ValueError(f"a filter that the stand-in does not know: {clause}")
        equal, value, start, prefix, part, whole, member, among = match.groups()
        if equal:
            rows = [row for row in rows if row.get(equal) == value]
        elif start:
            rows = [row for row in rows if str(row.get(start)).startswith(prefix)]
        elif whole:
            rows = [row for row in rows if part in str(row.get(whole))]
        else:
            values = set(re.findall(r"'([^']*)'", among))
            rows = [row for row in rows if row.get(member) in values]
    if "$select" in query:
        wanted = query["$select"].split(",")
        rows = [{key: row[key] for key in wanted} for row in rows]
    return rows


@dataclass
class ODataV3:
    """The feed and the catalogue of opendata.cbs.nl."""

    tables: dict[str, Table]
    page: int = V3_PAGE

    def __call__(self, request: Request) -> Response:
        if request.path == "/ODataCatalog/Tables":
            listed = [table.entry() for table in self.tables.values()]
            return reply_json({"value": chosen(listed, request.query)})
        match = re.fullmatch(r"/ODataFeed/odata/(\w+)/(\w*)", request.path)
        if not match or match[1] not in self.tables:
            return NOT_FOUND
        table = self.tables[match[1]]
        feed = f"{request.root}/ODataFeed/odata/{table.id}"
        sets: dict[str, list[Row]] = {
            "TableInfos": [
                {"ID": 0, "Identifier": table.id, "Title": table.title, "Modified": table.modified}
            ],
            "UntypedDataSet": table.rows,
            "TypedDataSet": table.rows,
            "DataProperties": table.properties,
            "CategoryGroups": [],
            **table.categories,
        }
        if not match[2]:
            return reply_json({"value": [{"name": name, "url": f"{feed}/{name}"} for name in sets]})
        if match[2] not in sets:
            return NOT_FOUND
        rows = chosen(sets[match[2]], request.query)
        skip = int(request.query.get("$skip", 0))
        following = skip + self.page
        content: Row = {"odata.metadata": f"{feed}/$metadata#{match[2]}", "value": rows[skip:following]}
        rest = "".join(
            f"&{key}={value}" for key, value in request.query.items() if key in ("$select", "$filter")
        )
        link = f"{table.elsewhere or feed}/{match[2]}?$format=json{rest}&$skip="
        if following < len(rows):
            content["odata.nextLink"] = f"{link}{following}"
        elif table.looping and match[2] == "TypedDataSet":
            content["odata.nextLink"] = f"{link}{self.page}"
        if table.republished and match[2] == "TypedDataSet":
            table.modified = table.republished
        return reply_json(content)


@dataclass
class ODataV4:
    """The tables of datasets.cbs.nl, made from the same rows: one observation a cell, keys without blanks."""

    tables: dict[str, Table]
    page: int = V4_PAGE

    def __call__(self, request: Request) -> Response:
        match = re.fullmatch(r"/(\w+)/(\w+)", request.path)
        if not match or match[1] not in self.tables:
            return NOT_FOUND
        table = self.tables[match[1]]
        if match[2] == "Properties":
            return reply_json({"Identifier": table.id, "Title": table.title, "Modified": table.modified})
        root = f"{request.root}/{table.id}"
        sets = {
            "Dimensions": [
                {
                    "Identifier": entry["Key"],
                    "Title": entry["Title"],
                    "Kind": entry["Type"].removesuffix("Dimension") + "Dimension",
                }
                for entry in table.properties
                if entry["Type"] not in ("Topic", "TopicGroup")
            ],
            "MeasureCodes": [
                {"Identifier": measure_id(entry), "Title": entry["Title"], "DataType": entry["Datatype"]}
                for entry in table.properties
                if entry["Type"] == "Topic"
            ],
            f"{table.area}Codes": [
                {"Identifier": code, "Title": "", "DimensionGroupId": ""}
                for code in dict.fromkeys(row[table.area].strip() for row in table.rows)
            ],
        }
        rows = sets.get(match[2]) or (observations(table) if match[2] == "Observations" else None)
        if rows is None:
            return NOT_FOUND
        rows = chosen(rows, request.query)
        skip = int(request.query.get("$skip", 0))
        content: Row = {"@odata.context": f"{root}/$metadata", "value": rows[skip : skip + self.page]}
        if request.query.get("$count") == "true":
            content["@odata.count"] = len(rows) if table.record_count is None else table.record_count
        if skip + self.page < len(rows):
            rest = "&".join(f"{key}={value}" for key, value in request.query.items() if key != "$skip")
            content["@odata.nextLink"] = f"{root}/{match[2]}?{rest}&$skip={skip + self.page}"
        return reply_json(content)


def measure_id(topic: Row) -> str:
    return f"M{topic['ID']:06d}"


def observations(table: Table) -> list[Row]:
    topics = [entry for entry in table.properties if entry["Type"] == "Topic"]
    others = [name for name in table.categories if name != table.area]
    found: list[Row] = []
    for row in table.rows:
        keys = {table.area: row[table.area].strip(), **{name: row[name].strip() for name in others}}
        for topic in topics:
            value = row[topic["Key"]]
            number = isinstance(value, int | float)
            if value is None and topic["ID"] % 2:
                continue  # an empty cell may be absent, or say why it is empty
            found.append(
                {
                    "Id": len(found),
                    "Measure": measure_id(topic),
                    "ValueAttribute": "None" if number else "Impossible",
                    "Value": float(value) if number else None,
                    "StringValue": None if number else value,
                    **keys,
                }
            )
    return found
