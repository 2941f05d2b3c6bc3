"""A user's mapping decides from the start: which keys tell scans apart."""

from __future__ import annotations

from pathlib import Path

import nxscan

HEADER = """{{
ByteOrder = LowByteFirst ;
DataType = UnsignedByte ;
Dim_1 = 3 ;
Dim_2 = 2 ;
Size = 6 ;
RunIndex = {run} ;
Theta = {theta} ;
"""


def test_scan_keys_of_a_user_tell_scans_apart(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    for k in range(8):
        header = HEADER.format(run=k // 4, theta=0.5 * (k % 4)).encode()
        (raw / f"a_{k:04d}.edf").write_bytes(header.ljust(510) + b"}\n" + bytes([k]) * 6)
    mapping = tmp_path / "mine.toml"
    mapping.write_text(
        'name = "mine"\nscan_keys = ["RunIndex"]\n[motors.Theta]\nunits = "degree"\n'
    )
    assert len(nxscan.scans(raw)) == 1
    assert len(nxscan.inspect(raw, mapping=mapping).refs) == 2
    path = nxscan.translate(raw, tmp_path / "b.nxs", scan=2, mapping=mapping)
    scan = nxscan.open(path)
    assert scan.axes["Theta"].values.tolist() == [0.0, 0.5, 1.0, 1.5]
    assert scan.signal[:, 0, 0].tolist() == [4, 5, 6, 7]
