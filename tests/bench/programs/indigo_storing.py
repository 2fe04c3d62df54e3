"""The work of `update` of `indigo_writer.py`, with sqlite3.

An order is a list of a folder and a number of values; the answer is a list of the microseconds of each
and the value that is stored at the end. Each is on disk before the next, as in the hub.
"""

import json
import os
import sqlite3
import sys
import tempfile
import time

for order in sys.stdin:
    folder, count = json.loads(order)
    with tempfile.TemporaryDirectory(dir=folder) as folder:
        # Without transactions of its own each statement is one.
        database = sqlite3.connect(os.path.join(folder, "states.db"), isolation_level=None)
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
        database.execute("create table states (device integer, key text, value real, primary key (device, key))")
        database.execute("insert into states values (1, 'power', 0)")
        begun = time.perf_counter()
        for number in range(count):
            database.execute("update states set value = ? where device = ? and key = ?", (number / 4, 1, "power"))
        took = (time.perf_counter() - begun) * 1e6 / count
        stored, = database.execute("select value from states").fetchone()
        database.close()
    print(json.dumps([took, stored]), flush=True)
