"""What a run made, in Markdown: sources, news, the gate, the ten highest priorities, and who moved."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from wijkatlas.publish.manifest import read_manifest

MOST = 10  # places and moves that are shown


def report(folder: Path, before: Path | None = None) -> str:
    """
    Tell of an edition what it was made from, what is new in it, and what it says.

    Parameters
    ----------
    folder
        The edition.
    before
        The one that readers had until now; the same folder where a run found no news.
    """
    manifest = read_manifest(folder)
    ranked = read_ranks(folder)
    lines = [
        f"# {manifest['title']}",
        f"Edition `{manifest['edition']}`: {counts(manifest)}; {len(manifest['files'])} files.",
        *("", "## Sources", "| Source | Table | Retrieved | Pages |", "|---|---|---|---|"),
        *sources(manifest),
        *("", "## News", *news(manifest, before)),
        *("", "## Quality gate", "Passed: an edition that it stops is not published, and fails the run."),
        *("", "## Highest priorities"),
        "| Plaats (90%) | Buurt | Gemeente | Score | Kans op de eerste 10% | Zekerheid |",
        "|---|---|---|---|---|---|",
        *top(ranked),
    ]
    if before and before != folder:
        lines += ["", f"## Moves since `{before.name}`", *moves(read_ranks(before), ranked)]
    return "\n".join([*lines, "", "A signal, no verdict: areas, not people; ranks only with their interval."])


def read_ranks(folder: Path) -> pd.DataFrame:
    """Return the published buurten of an edition by code, ranked."""
    table = pd.read_csv(folder / "downloads" / "buurten.csv", dtype={"buurt_code": "str"})
    return table[table["rang"].notna()].set_index("buurt_code")


def counts(manifest: Mapping[str, Any]) -> str:
    """Say how many areas of each level have a score."""
    levels = manifest["levels"].items()
    return ", ".join(f"{n['scored']} of {n['areas']} {level} scored" for level, n in levels if "scored" in n)


def sources(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield a row for each table that the edition was made from."""
    tables: dict[tuple[str, str], list[str]] = {}
    for snapshot in manifest["sources"]:
        tables.setdefault((snapshot["source"], snapshot["table"]), []).append(snapshot["retrieved"])
    for (source, table), retrieved in tables.items():
        yield f"| {source} | {cell(table)} | {max(retrieved)} | {len(retrieved)} |"


def news(manifest: Mapping[str, Any], before: Path | None) -> Iterator[str]:
    """Say which tables hold something else than those of the edition before."""
    if before is None:
        yield "The first edition on this shelf."
        return
    earlier = read_manifest(before)
    if earlier["edition"] == manifest["edition"]:
        yield "None: the edition stood on the shelf already."
        return
    known = {snapshot["sha256"] for snapshot in earlier["sources"]}
    tables = {(s["source"], s["table"]) for s in manifest["sources"] if s["sha256"] not in known}
    yield from (f"- {source}, table {cell(table)}" for source, table in sorted(tables))
    if earlier["specification"] != manifest["specification"]:
        yield "- the score specification"
    if earlier["wijkatlas"] != manifest["wijkatlas"]:
        yield f"- the program: {earlier['wijkatlas']} became {manifest['wijkatlas']}"
    if not tables and earlier["specification"] == manifest["specification"]:
        yield "- no figures: the program or the settings changed"


def top(ranked: pd.DataFrame) -> Iterator[str]:
    """Yield a row for each of the highest priorities, with its interval."""
    for row in ranked.nsmallest(MOST, "rang").itertuples():
        yield (
            f"| {row.rang:.0f} ({row.rang_p05:.0f}-{row.rang_p95:.0f}) | {cell(row.buurt_naam)} "
            f"| {cell(row.gemeente_naam)} | {row.score:.1f} | {row.kans_top10:.0%} | {row.klasse} |"
        )


def moves(earlier: pd.DataFrame, ranked: pd.DataFrame) -> Iterator[str]:
    """Yield the buurten whose rank moved most; `wijkatlas compare` tells why."""
    both = ranked.join(earlier["rang"].rename("rang_voor"), how="inner")
    both["stap"] = both["rang"] - both["rang_voor"]
    moved = both[both["stap"] != 0]
    came, went = len(ranked) - len(both), len(earlier) - len(both)
    yield f"{len(moved)} of {len(both)} ranks moved; {came} came, {went} went."
    furthest = moved.assign(size=moved["stap"].abs()).sort_values(["size", "rang"], ascending=[False, True])
    for row in furthest.head(MOST).itertuples():
        name = f"{cell(row.buurt_naam)} ({cell(row.gemeente_naam)})"
        yield f"- {name}: {row.rang_voor:.0f} became {row.rang:.0f}"


def cell(text: object) -> str:
    """Keep a name from breaking out of its cell: it comes from a source."""
    plain = " ".join(str(text).split())
    return "".join(f"\\{c}" if c in r"\`*_{}[]()<>#+!|~" else c for c in plain)
