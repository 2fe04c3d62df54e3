"""Milliseconds of what a plugin does with a database in a file."""

import os
import sqlite3
import tempfile
import time

ROWS = 10000


def run(words):
    with tempfile.TemporaryDirectory() as folder:
        # Transactions begin and end where the program says so.
        database = sqlite3.connect(os.path.join(folder, "bench.db"), isolation_level=None)
        try:
            return [milliseconds(part, database) for part in PARTS]
        finally:
            database.close()


def milliseconds(part, database):
    begun = time.perf_counter()
    part(database)
    return (time.perf_counter() - begun) * 1000


def inserts(database):
    database.execute("create table one (id integer primary key, name text, value real)")
    database.execute("begin")
    for number in range(ROWS):
        database.execute("insert into one values (?, ?, ?)", (number, "device %d" % number, number / 4))
    database.execute("commit")


def many(database):
    database.execute("create table two (id integer primary key, name text, value real)")
    rows = ((number, "device %d" % number, number / 4) for number in range(ROWS))
    database.execute("begin")
    database.executemany("insert into two values (?, ?, ?)", rows)
    database.execute("commit")


def selects(database):
    for number in range(ROWS):
        row = database.execute("select name, value from one where id = ?", (number,)).fetchone()
        if row[1] != number / 4:
            raise AssertionError("%r at %d" % (row, number))


def selects_together(database):
    database.execute("begin")
    selects(database)
    database.execute("commit")


def everything(database):
    rows = database.execute("select id, name, value from two").fetchall()
    if len(rows) != ROWS:
        raise AssertionError("%d rows" % len(rows))


PARTS = (inserts, many, selects, selects_together, everything)
