"""Dialogs of a bundle over the API, filled in as a user without a device would."""

import json
import re


class Dialog:
    """One that is open. `given` has values for fields, by `FIELD` or `KIND.FIELD`."""

    def __init__(self, ask, kind, given, port, subject):
        self.ask = ask
        self.kind = kind
        self.given = given
        self.port = port
        self.failure = ""
        status, self.shown = ask("POST", "/cordon/indigo/dialogs", subject)
        if status >= 300:
            self.failure = told(self.shown)
            self.shown = None
        self.values = {}

    def path(self, doing=""):
        return "/cordon/indigo/dialogs/%s%s" % (self.shown["dialog"], doing)

    def fill(self, attempt=0):
        self.values.update(entries(self.shown, attempt, self.kind, self.given, self.port))

    def save(self, execute):
        """The answer to saving, None when it is refused or fails."""
        status, saved = self.ask(
            "POST", self.path("/save"), {"values": self.values, "execute": execute}
        )
        if status >= 300:
            self.failure = told(saved)
            return None
        if not saved.get("saved"):
            self.shown = saved
            self.failure = "dialog refused: " + json.dumps(saved["errors"] or saved["alert"])
            return None
        self.failure = ""
        return saved

    def buttons(self, pattern=""):
        return [
            it["id"]
            for it in self.shown["fields"]
            if it["type"] == "button"
            and it["visible"]
            and re.search(pattern, it["id"], re.IGNORECASE)
        ]

    def press(self, button):
        """Presses a button; whether its method returned."""
        status, answer = self.ask(
            "POST", self.path("/press"), {"field": button, "values": self.values}
        )
        if status >= 300:
            self.failure = told(answer)
            return False
        # The hub has the values, and the method's changes to them.
        self.shown, self.values = answer, {}
        return True

    def close(self):
        self.ask("DELETE", self.path())


def entries(shown, attempt, kind, given, port):
    """The entries of a user: an empty field gets the first choice, or text that fits its name."""
    guesses = ("1", "127.0.0.1", "sample", "00:11:22:33:44:55")
    values = {}
    for field in shown["fields"]:
        name, now = field["id"], shown["values"].get(field["id"])
        told_so = given.get("%s.%s" % (kind, name), given.get(name))
        if field["type"].lower() == "serialport" and told_so:
            values.update({name + "_serialConnType": "local", name + "_serialPortLocal": told_so})
            continue
        if told_so is not None:
            values[name] = told_so
            continue
        wrong = name in shown["errors"]
        if (
            not field["visible"]
            or not field["enabled"]
            or field["readOnly"]
            or (now not in (None, "", []) and not wrong)
        ):
            continue
        if field["type"] in ("menu", "list"):
            choices = [
                it["value"] for it in field["options"] if it["value"] not in ("", "-1", "0")
            ] or [""]
            value = choices[min(attempt, len(choices) - 1)]
            values[name] = [value] if field["type"] == "list" and value else value
        elif field["type"] == "textfield":
            if re.search("address|host|ip$|^ip|server", name, re.IGNORECASE) and not attempt:
                values[name] = "127.0.0.1"
            elif re.search("port$", name, re.IGNORECASE) and not attempt:
                values[name] = port
            elif wrong or attempt == 0:
                values[name] = guesses[attempt % len(guesses)]
    return values


def told(answer):
    """The last line of the failure."""
    if not isinstance(answer, dict):
        return str(answer)
    text = str(
        answer.get("exception") or answer.get("description") or answer.get("error") or answer
    )
    return (text.strip().splitlines() or [""])[-1]
