"""Whatever bytes come in: figures or a plain error, never a crash (benchmarks/fuzz.py does this for long)."""

import io
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.spoil import spoiled
from fuzz.targets import description, own_bytes, own_table, targets
from wijkatlas.errors import SourceError, WijkatlasError

pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")  # of long examples
FEW = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
NAMES = sorted(targets())
OWN = [name for name in NAMES if name.startswith("own_")]
REST = [name for name in NAMES if name not in OWN]


def survives(name: str, content: bytes) -> None:
    try:
        targets()[name].parse(content)
    except WijkatlasError as error:
        assert "\n" not in str(error).strip()  # noqa: PT017


@pytest.mark.parametrize("name", NAMES)
def test_real_replies_are_read(name: str) -> None:
    target, alone = targets()[name], {"own_description": "no such file", "manifest": "missing: a.csv"}
    if name in alone:  # what they speak of is not beside them
        with pytest.raises(WijkatlasError, match=alone[name]):
            target.parse(target.real)
    else:
        target.parse(target.real)


@pytest.mark.parametrize("name", REST)
@given(content=st.binary(max_size=200))
@FEW
def test_any_bytes_are_parsed_or_refused(name: str, content: bytes) -> None:
    survives(name, content)


@pytest.mark.parametrize("name", REST)
@given(data=st.data())
@FEW
def test_any_change_of_a_real_reply_is_parsed_or_refused(name: str, data: st.DataObject) -> None:
    survives(name, data.draw(spoiled(targets()[name].real)))


@pytest.mark.parametrize("name", OWN)
@given(data=st.data())
@FEW
def test_any_own_table_is_read_or_refused(name: str, data: st.DataObject) -> None:
    survives(name, data.draw(st.one_of(st.binary(max_size=200), spoiled(targets()[name].real))))


def test_workbook_that_expands_without_end_is_refused() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>'.encode()
    real = zipfile.ZipFile(io.BytesIO(own_bytes("XLSX", ".xlsx")))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in real.namelist():
            content = real.read(member)
            if member.endswith("sheet1.xml"):
                content = bomb + content.partition(b"?>")[2].replace(b"<c ", b"<c note='&l11;' ", 1)
            archive.writestr(member, content)
    with pytest.raises(SourceError):
        own_table(".xlsx")(packed.getvalue())


def test_description_of_an_own_table_is_the_guides() -> None:
    assert 'file = "table.csv"' in description("table.csv")
