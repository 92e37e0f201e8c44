"""The raw store: bytes under their hash, a sidecar beside them, a lock that names them."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from wijkatlas.errors import SnapshotError
from wijkatlas.snapshots import Lock, Pin, Reply, Snapshot, SnapshotStore, locks_under, sha256

CONTENT = b'{"value":[]}'


def describe(content: bytes = CONTENT, **changes: object) -> Snapshot:
    told: dict[str, object] = {
        "source": "kwb",
        "table": "85984NED",
        "part": "TypedDataSet",
        "format": "json",
        "sha256": sha256(content),
        "address": "https://example.org/feed",
        "licence": "CC BY 4.0",
        "attribution": "CBS",
        "retrieved": date(2026, 1, 2),
        "size": len(content),
    }
    return Snapshot.model_validate(told | changes)


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "raw")


def test_what_is_added_can_be_read(store: SnapshotStore) -> None:
    snapshot = store.add(describe(), CONTENT)
    assert store.read(snapshot) == CONTENT
    assert store.describe(snapshot) == snapshot
    files = sorted(
        path.relative_to(store.root).as_posix() for path in store.root.rglob("*") if path.is_file()
    )
    assert files == [f"kwb/{sha256(CONTENT)}.json", f"kwb/{sha256(CONTENT)}.sidecar.json"]


def test_same_bytes_are_kept_once_with_their_first_date(store: SnapshotStore) -> None:
    first = store.add(describe(), CONTENT)
    assert store.add(describe(retrieved=date(2027, 1, 1)), CONTENT) == first


def test_two_parts_with_the_same_bytes_are_refused(store: SnapshotStore) -> None:
    store.add(describe(), CONTENT)
    with pytest.raises(
        SnapshotError, match=r"sidecar\.json: describes .*TypedDataSet.*, not .*DataProperties"
    ):
        store.add(describe(part="DataProperties"), CONTENT)


def test_content_that_is_not_what_its_description_says(store: SnapshotStore) -> None:
    with pytest.raises(SnapshotError, match=f"expected sha256 {sha256(CONTENT)}, found {sha256(b'x')}"):
        store.add(describe(), b"x")
    assert not store.root.exists()


def test_failed_write_leaves_nothing_behind(store: SnapshotStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(_self: Path, _target: Path) -> Path:
        raise OSError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", break_off)
        with pytest.raises(OSError, match="disk full"):
            store.add(describe(), CONTENT)
    assert [path for path in store.root.rglob("*") if path.is_file()] == []
    assert store.read(store.add(describe(), CONTENT)) == CONTENT


def test_altered_file_is_refused(store: SnapshotStore) -> None:
    snapshot = store.add(describe(), CONTENT)
    file = store.root / "kwb" / f"{snapshot.sha256}.json"
    file.write_bytes(CONTENT + b" ")
    with pytest.raises(SnapshotError) as caught:
        store.read(snapshot)
    text = str(caught.value)
    assert text.startswith(f"{file}: expected sha256 {snapshot.sha256}, found {sha256(CONTENT + b' ')}")


def test_sidecar_with_another_hash_is_refused(store: SnapshotStore) -> None:
    snapshot = store.add(describe(), CONTENT)
    sidecar = store.root / "kwb" / f"{snapshot.sha256}.sidecar.json"
    sidecar.write_text(sidecar.read_text().replace(snapshot.sha256, "0" * 64))
    with pytest.raises(SnapshotError, match=rf"expected sha256 {snapshot.sha256}, found {'0' * 64}"):
        store.describe(snapshot)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda text: text[:50], "Invalid JSON"),
        (lambda text: text.replace('"licence"', '"license"'), "licence: Field required"),
        (lambda text: text.replace('"note"', '"notes"'), "notes: Extra inputs"),
    ],
)
def test_unreadable_sidecar(store: SnapshotStore, spoil: Callable[[str], str], problem: str) -> None:
    snapshot = store.add(describe(), CONTENT)
    sidecar = store.root / "kwb" / f"{snapshot.sha256}.sidecar.json"
    sidecar.write_text(spoil(sidecar.read_text()))
    with pytest.raises(SnapshotError, match=rf"{sidecar.name}: {problem}"):
        store.describe(snapshot)


def test_absent_file(store: SnapshotStore) -> None:
    for look in (store.read, store.describe):
        with pytest.raises(
            SnapshotError, match=r"kwb/[0-9a-f]{64}\..*: No such file .*; fetch the source again"
        ):
            look(describe())


@pytest.mark.parametrize(
    "change",
    [
        {"source": "../kwb"},
        {"source": "/etc"},
        {"sha256": "../../etc/passwd"},
        {"sha256": "A" * 64},
        {"format": "json/../../x"},
        {"format": "exe"},
    ],
)
def test_nothing_but_names_and_hashes_becomes_a_path(change: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        describe(**change)


def test_snapshots_are_frozen() -> None:
    with pytest.raises(ValidationError):
        describe().note = "changed"  # type: ignore[misc]


def test_lock_is_sorted_and_returns_what_was_written(store: SnapshotStore) -> None:
    pins = [
        describe(b"3", table="85984NED", part="WijkenEnBuurten"),
        describe(b"2", page=2),
        describe(b"1"),
        describe(b"0", source="grenzen", format="geojson"),
    ]
    lock = Lock.of(pins)
    store.write_lock(lock)
    assert store.lock() == lock
    assert Lock.of(reversed(pins)).render() == lock.render()
    assert [pin.sha256 for pin in lock.snapshots] == [sha256(text) for text in (b"0", b"1", b"2", b"3")]
    assert [pin.page for pin in lock.select("kwb", "85984NED")] == [1, 2, 1]
    assert lock.select("kwb", "85618NED") == ()
    assert all(type(pin) is Pin for pin in lock.snapshots)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Invalid JSON"),
        ('{"snapshots": [{"source": "kwb"}]}', r"snapshots\.0\.table: Field required"),
        ("[]", "should be an object"),
    ],
)
def test_unreadable_lock(store: SnapshotStore, text: str, problem: str) -> None:
    store.root.mkdir()
    (store.root / "sources.lock").write_text(text)
    with pytest.raises(SnapshotError, match=rf"sources\.lock: .*{problem}"):
        store.lock()


def test_lock_that_names_a_place_twice_or_is_not_sorted(store: SnapshotStore) -> None:
    with pytest.raises(ValidationError, match="each named once"):
        Lock.of([describe(b"1"), describe(b"2")])
    lines = json.loads(Lock.of([describe(b"1"), describe(b"2", page=2)]).render())
    store.root.mkdir()
    (store.root / "sources.lock").write_text(json.dumps({"snapshots": lines["snapshots"][::-1]}))
    with pytest.raises(SnapshotError, match=r"sources\.lock: .*must be sorted"):
        store.lock()


def test_absent_lock(store: SnapshotStore) -> None:
    with pytest.raises(SnapshotError, match=r"sources\.lock: No such file"):
        store.lock()


def test_what_was_altered_is_healed_by_the_same_bytes(store: SnapshotStore) -> None:
    snapshot = store.add(describe(), CONTENT)
    file = store.root / "kwb" / f"{snapshot.sha256}.json"
    file.write_bytes(b"{}")
    assert not store.holds(snapshot)
    assert store.add(describe(), CONTENT) == snapshot
    assert store.read(snapshot) == CONTENT


def remembered(store: SnapshotStore, content: bytes = CONTENT, **changes: object) -> Reply:
    kept = store.add(describe(content, **changes), content)
    reply = Reply(address=f"https://example.org/{kept.part}", pin=kept, asked=date(2026, 1, 2), etag='"1"')
    store.remember(reply)
    return reply


def test_address_is_remembered_as_long_as_its_reply_is_here(store: SnapshotStore) -> None:
    reply = remembered(store)
    known = store.recall("kwb", reply.address)
    assert known is not None
    assert (known.pin.sha256, known.etag, type(known.pin)) == (sha256(CONTENT), '"1"', Pin)
    assert store.recall("kwb", "https://example.org/other") is None
    assert store.recall("grenzen", reply.address) is None
    for path in store.root.glob("kwb/*.json"):
        kept = path.read_bytes()
        path.write_bytes(b"{}")
        assert store.recall("kwb", reply.address) is None
        path.write_bytes(kept)
        path.unlink()
        assert store.recall("kwb", reply.address) is None
        path.write_bytes(kept)
    assert store.recall("kwb", reply.address) == known


def test_everything_held_is_described_in_order(store: SnapshotStore) -> None:
    parts = [store.add(describe(b"2", page=2), b"2"), store.add(describe(b"1"), b"1")]
    assert store.snapshots() == parts[::-1]
    assert SnapshotStore(store.root / "none").snapshots() == []


def test_verify_names_what_is_wrong(store: SnapshotStore) -> None:
    whole, altered, lost = (
        remembered(store, text, part=part).pin for text, part in ((b"1", "A"), (b"2", "B"), (b"3", "C"))
    )
    store.write_lock(Lock.of([whole, altered, lost]))
    assert store.verify() == []
    folder = store.root / "kwb"
    (folder / f"{altered.sha256}.json").write_bytes(b"x")
    (folder / f"{lost.sha256}.json").unlink()
    (folder / f"{lost.sha256}.sidecar.json").unlink()
    (folder / f"{'0' * 64}.json").write_bytes(b"orphan")
    problems = store.verify()
    assert len(problems) == 3
    assert f"{altered.sha256}.json: expected sha256" in problems[0]
    assert f"{'0' * 64}.json: not whole, or no sidecar describes it" in problems[1]
    assert problems[2] == "sources.lock: kwb 85984NED C 1 is not in the store; fetch the source again"


def test_prune_keeps_what_any_lock_names(store: SnapshotStore, tmp_path: Path) -> None:
    own, edition, unnamed = (
        remembered(store, text, part=part).pin for text, part in ((b"1", "A"), (b"2", "B"), (b"3", "C"))
    )
    store.write_lock(Lock.of([own]))
    shelf = tmp_path / "editions"
    (shelf / "nederland-2024").mkdir(parents=True)
    (shelf / "nederland-2024" / "sources.lock").write_text(Lock.of([edition]).render())
    leftovers = [
        store.root / "kwb" / f"{own.sha256}.json.ab12.part",
        store.root / "kwb" / "replies" / "x.part",
    ]
    for path in leftovers:
        path.write_bytes(b"{")
    leftovers[0].rename(store.root / "kwb" / f"{'0' * 64}.json.ab12.part")
    before = sorted(path for path in store.root.rglob("*") if path.is_file())
    planned = store.prune(locks_under(shelf))
    assert sorted(path for path in store.root.rglob("*") if path.is_file()) == before
    assert store.prune(locks_under(shelf), dry_run=False) == planned
    assert len(planned) == 5  # the unnamed snapshot, its sidecar and its memory, and the two leftovers
    assert store.holds(own)
    assert store.holds(edition)
    assert not store.holds(unnamed)
    assert store.recall("kwb", "https://example.org/B") is not None
    assert store.verify() == []
    assert store.prune([]) != []  # without the shelf's locks, the edition's snapshot would go


def test_prune_waits_for_who_writes(store: SnapshotStore) -> None:
    brought = remembered(store).pin  # by a fetch that has not written its lock yet
    with store.only_writer(), pytest.raises(SnapshotError, match="another run is writing here"):
        store.prune([], dry_run=False)
    assert store.holds(brought)
    assert store.prune([]) == store.prune([], dry_run=False) != []
    assert not store.holds(brought)


def test_prune_refuses_when_a_lock_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sources.lock").write_text("{")
    with pytest.raises(SnapshotError, match=r"broken/sources\.lock: Invalid JSON"):
        locks_under(tmp_path)
