"""Writers that count: each knows the newest number that it sent, and the newest whose receipt was acknowledged."""

import http.client
import threading
import time


class Writer(threading.Thread):
    """Writes 1, 2, 3 and so on through the API, over kills and starts of the hub; one per thing that holds a number."""

    def __init__(self, site, name):
        super().__init__(daemon=True)
        self.site = site
        self.name = name
        self.sent = 0
        self.acknowledged = 0
        self.count = 0
        self.refusals = {}
        self.pause = 0.0
        self.over = threading.Event()

    def write(self, client, number):
        """Writes the number; whether it was acknowledged, and the words of a refusal."""
        raise NotImplementedError

    def read(self, client):
        """The number that the hub shows."""
        raise NotImplementedError

    def run(self):
        while not self.over.is_set():
            client = self.site.client(timeout=10)
            try:
                while not self.over.is_set():
                    self.once(client)
                    time.sleep(self.pause)
            except (OSError, http.client.HTTPException, ValueError):
                # The hub was killed, or is not back yet.
                self.over.wait(0.02)
            finally:
                client.close()

    def once(self, client):
        """Writes the next number."""
        number = self.sent + 1
        self.sent = number
        good, words = self.write(client, number)
        if good:
            self.acknowledged = number
            self.count += 1
        else:
            self.refusals[words] = self.refusals.get(words, 0) + 1
            time.sleep(0.01)

    def end(self):
        """Writes no more."""
        self.over.set()
        self.join(20)


class DeviceWriter(Writer):
    """Writes a device's text as a client of Domoticz' API."""

    def __init__(self, site, idx):
        super().__init__(site, "device %s" % idx)
        self.idx = idx

    def write(self, client, number):
        answer = client.command("udevice", idx=self.idx, nvalue=0, svalue=number)
        return answer["status"] == "OK", answer.get("message", "")

    def read(self, client):
        return int(client.command("getdevices", rid=self.idx)["result"][0]["Data"] or 0)


class VariableWriter(Writer):
    """Writes a user variable."""

    def __init__(self, site, client, name):
        super().__init__(site, "user variable " + name)
        client.command("adduservariable", vname=name, vtype=0, vvalue=0)
        rows = client.command("getuservariables")["result"]
        self.idx = next(row["idx"] for row in rows if row["Name"] == name)
        self.variable = name

    def write(self, client, number):
        answer = client.command(
            "updateuservariable", idx=self.idx, vname=self.variable, vtype=0, vvalue=number
        )
        return answer["status"] == "OK", answer.get("message", "")

    def read(self, client):
        return int(client.command("getuservariable", idx=self.idx)["result"][0]["Value"])


class IndigoWriter(Writer):
    """Writes a variable of the Indigo server as one of its clients."""

    def __init__(self, site, client, name):
        super().__init__(site, "Indigo variable " + name)
        order = {"command": "variable.create", "arguments": {"name": name, "value": "0"}}
        self.id = client.post("/cordon/indigo/command", order)[1]["result"]["id"]

    def write(self, client, number):
        order = {
            "message": "indigo.variable.updateValue",
            "objectId": self.id,
            "parameters": {"value": str(number)},
        }
        status, answer = client.post("/v2/api/command", order)
        return status == 200 and answer.get("success") is True, "%s %s" % (
            status,
            answer.get("error", ""),
        )

    def read(self, client):
        return int(client.get("/v2/api/indigo.variables/%d" % self.id)["value"])
