"""A hub in small: lists of devices over HTTP with aiohttp, out of a table of sqlite3.

    listing.py FOLDER FILE ROWS

FOLDER holds aiohttp, FILE becomes the database with so many switches. Writes the port that
it listens on and ends with its input.
"""

import asyncio
import sqlite3
import sys
import time

sys.path.insert(0, sys.argv[1])

from aiohttp import web  # noqa: E402

COLUMNS = (
    "id integer primary key, hardware integer, unit integer, device_id text, name text, type integer,"
    " sub_type integer, switch_type integer, n_value integer, s_value text, signal integer,"
    " battery integer, level integer, image integer, used integer, description text, color text,"
    " options text, updated integer"
)


def database(file, rows):
    made = sqlite3.connect(file, isolation_level=None)
    made.execute("pragma journal_mode = wal")
    made.execute("create table devices (%s)" % COLUMNS)
    made.execute("begin")
    now = int(time.time())
    for number in range(1, rows + 1):
        values = (number, 1, number, "%08X" % number, "Lamp %d" % number, 244, 73, 0, number % 2, "", 12,
                  255, 0, 0, 1, "", "", "", now)
        made.execute("insert into devices values (%s)" % ", ".join("?" * len(values)), values)
    made.execute("commit")
    return made


def shown(row):
    (number, hardware, unit, device_id, name, _, _, switch_type, n_value, _, _, battery, level, image, used,
     description, _, _, updated) = row
    state = "On" if n_value else "Off"
    return {
        "idx": str(number), "Name": name, "Type": "Light/Switch", "SubType": "Switch",
        "TypeImg": "lightbulb", "ID": device_id, "Unit": unit, "Used": used, "Description": description,
        "LastUpdate": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(updated)),
        "BatteryLevel": battery, "SignalLevel": "-", "CustomImage": image, "HaveTimeout": False,
        "HardwareID": hardware, "AddjMulti": 1.0, "AddjMulti2": 1.0, "AddjValue": 0.0,
        "AddjValue2": 0.0, "Notifications": "false", "PlanID": "0", "PlanIDs": [0],
        "Protected": False, "ShowNotifications": True, "Timers": "false", "XOffset": "0",
        "YOffset": "0", "Data": state, "Status": state, "Level": level, "LevelInt": level,
        "MaxDimLevel": 0, "HaveDimmer": False, "HaveGroupCmd": False, "IsSubDevice": False,
        "SwitchType": "On/Off", "SwitchTypeVal": switch_type, "Image": "Light", "UsedByCamera": False,
        "StrParam1": "", "StrParam2": "", "DimmerType": "none", "InternalState": state,
        "Favorite": 0, "HardwareName": "Quiet", "HardwareType": "Quiet", "HardwareTypeVal": 94,
        "HardwareDisabled": False,
    }


async def serve(rows):
    async def answer(request):
        number = request.query.get("rid")
        if number is None:
            found = rows.execute("select * from devices order by name collate nocase").fetchall()
        else:
            found = rows.execute("select * from devices where id = ?", (int(number),)).fetchall()
        return web.json_response({
            "status": "OK", "title": "Devices", "ActTime": int(time.time()),
            "ServerTime": time.strftime("%Y-%m-%d %H:%M:%S"), "app_version": "2025.1",
            "result": [shown(row) for row in found],
        })

    app = web.Application()
    app.router.add_get("/json.htm", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


asyncio.run(serve(database(sys.argv[2], int(sys.argv[3]))))
