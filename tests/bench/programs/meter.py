"""The work of `meter_plugin.py`, with asyncio and sqlite3: as many meters as the order says.

An order is a port and a number of meters; the answer comes when all have connected. Each value is on disk
before the next is read, as in the hub.
"""

import asyncio
import os
import sqlite3
import sys
import tempfile
import time


async def meter(port, unit, database):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    up.release()
    while True:
        try:
            line = await reader.readuntil(b"\r")
        except asyncio.IncompleteReadError:
            break
        database.execute("update devices set nvalue = ?, svalue = ?, last_update = ? where unit = ?",
                         (0, line[:-1].decode(), time.strftime("%Y-%m-%d %H:%M:%S"), unit))
        if line.startswith(b"99."):
            writer.write(b"stored\r")
            await writer.drain()
    writer.close()


async def meters(port, count, database):
    global up
    up = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(meter(port, unit, database)) for unit in range(count)]
    for _ in tasks:
        await up.acquire()
    print("up", flush=True)
    await asyncio.gather(*tasks)


for order in sys.stdin:
    port, count = map(int, order.split())
    with tempfile.TemporaryDirectory() as folder:
        # Without transactions of its own each statement is one.
        database = sqlite3.connect(os.path.join(folder, "devices.db"), isolation_level=None)
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
        database.execute("create table devices (unit integer primary key, nvalue integer, svalue text, last_update text)")
        database.executemany("insert into devices values (?, 0, '', '')", [(unit,) for unit in range(count)])
        asyncio.run(meters(port, count, database))
        database.close()
