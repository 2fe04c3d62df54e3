# A plugin that keeps the last hundred rows in a SQLite file of its own.
"""
<plugin key="Sqlite" name="Sqlite" author="Cordon" version="1.0.0">
    <params>
        <param field="Mode1" label="Seconds between heartbeats" default="5"/>
    </params>
</plugin>
"""

import sqlite3
import time

import Domoticz

beats = rows = 0
database = None


def onStart():
    global database
    Domoticz.Heartbeat(int(Parameters["Mode1"] or 5))
    database = sqlite3.connect("rows.db")
    database.execute(
        "CREATE TABLE IF NOT EXISTS rows (number INTEGER PRIMARY KEY, moment REAL, text TEXT)"
    )
    database.commit()
    Domoticz.Log("started")


def onHeartbeat():
    global beats, rows
    beats += 1
    begun = time.time()
    try:
        database.execute("INSERT INTO rows (moment, text) VALUES (?, ?)", (begun, "x" * 200))
        database.execute("DELETE FROM rows WHERE number <= (SELECT max(number) FROM rows) - 100")
        database.commit()
        rows += 1
        failure = ""
    except sqlite3.Error as error:
        database.rollback()
        failure = " refused: %s" % error
    Domoticz.Log(
        "beat %d %.4f answers=%d took=%.4f%s" % (beats, begun, rows, time.time() - begun, failure)
    )


def onStop():
    database.close()
