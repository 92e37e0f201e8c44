"""Small editions for the tests: the real stages on the embedded sample, with few replications."""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from wijkatlas.inputs import Settings, sample_settings
from wijkatlas.snapshots import Lock, Snapshot, SnapshotStore, sha256

DATA = Path(__file__).parents[1] / "data"
QUICK = """
base = "deltaplan"
[uncertainty]
replications = 20
sobol_size = 4
[analysis]
permutations = 99
"""


def quick_settings(folder: Path, *, store: Path | None = None) -> Settings:
    """Return settings for a quick edition on the shelf `folder/outputs`."""
    folder.mkdir(parents=True, exist_ok=True)
    spec = folder / "quick.toml"
    spec.write_text(QUICK, encoding="utf-8")
    settings = sample_settings("rotterdam", data=DATA, out=folder / "outputs")
    return Settings(
        year=settings.year,
        store=store or settings.store,
        out=settings.out,
        sample=settings.sample,
        spec=str(spec),
    )


def altered_store(folder: Path, alter: Callable[[Snapshot, bytes], bytes]) -> Path:
    """Copy the sample's raw store to `folder`, each snapshot altered, with sidecars and lock that fit."""
    sample = SnapshotStore(sample_settings("rotterdam", data=DATA, out=folder).store)
    store = SnapshotStore(folder)
    kept = []
    for pin in sample.lock().snapshots:
        snapshot = sample.describe(pin)
        content = alter(snapshot, sample.read(pin))
        described = snapshot.model_copy(update={"sha256": sha256(content), "size": len(content)})
        kept.append(store.add(described, content))
    store.write_lock(Lock.of(kept))
    return folder


def shuffled(snapshot: Snapshot, content: bytes) -> bytes:
    """Put the rows of any snapshot in another order (the same on every call)."""
    order = random.Random(snapshot.sha256)
    if snapshot.format == "csv":
        head, *rows = content.decode().splitlines()
        order.shuffle(rows)
        return "\n".join([head, *rows, ""]).encode()
    document = json.loads(content)
    for key in ("value", "features"):
        if isinstance(document.get(key), list):
            order.shuffle(document[key])
    return json.dumps(document).encode()


def published_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield what each file of an edition says, but for what tells its snapshots: hashes and the id."""
    told = {"manifest.json", "SHA256SUMS", "sources.lock", "dcat.jsonld", "datapackage.json"}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and path.name.removesuffix(".gz") not in told:
            yield name, said(path).replace(folder.name.encode(), b"")


def said(path: Path) -> bytes:
    """Return a file's bytes, unpacked; of Parquet the table without the metadata that names the edition."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix != ".parquet":
        return path.read_bytes()
    table = pq.read_table(path).replace_schema_metadata(None)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
