"""Thousands of files on a slow disk: read in threads, each header once."""

from __future__ import annotations

import threading
import time
from collections import Counter

import numpy as np

from nxscan.translate.contract import Options
from nxscan.translate.report import Report
from nxscan.translate.sources import expand
from nxscan.translators.edf import EdfTranslator
from nxscan.translators.edf import file as edf_file

FILES, DELAY = 3000, 0.005


def test_headers_of_thousands_of_files_are_read_once_and_in_threads(block, tmp_path, monkeypatch):
    data = block(np.zeros((1, 2), np.uint16), {"motor_mne": "mu chi", "motor_pos": "0.1 5"})
    for k in range(FILES):
        (tmp_path / f"a_{k:04d}.edf").write_bytes(data)
    opened: Counter[str] = Counter()
    lock, open_raw = threading.Lock(), edf_file.open_raw
    waiting, most = 0, 0

    def slow(path):
        nonlocal waiting, most
        with lock:
            opened[path] += 1
            waiting += 1
            most = max(most, waiting)
        time.sleep(DELAY)
        with lock:
            waiting -= 1
        return open_raw(path)

    monkeypatch.setattr(edf_file, "open_raw", slow)
    (ref,) = EdfTranslator().scans(expand(tmp_path))
    scan = EdfTranslator().open(ref, Options(), Report())
    assert scan.signal.shape == (FILES, 1, 2)
    assert len(opened) == FILES
    assert set(opened.values()) == {1}
    assert most > 2
