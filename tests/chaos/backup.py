"""A clean stop leaves one whole file; a spoilt database is refused in words, or all acknowledged rows are there."""

import collections
import hashlib
import os
import shutil
import sqlite3

DEVICES = 100
PATIENCE = 30


def run(stage, report):
    site = stage.site(5)
    site.plugin("B0", "Beat.py", {"Mode2": str(DEVICES)})
    clean_stops(stage, site, report)
    keep = os.path.join(site.folder, "keep")
    crashed(site, keep)
    empty_beside_wal(site, keep, report)
    backup_beside_wal(site, keep, report)
    mutations(stage, site, keep, report)
    report.zero("panics in the log", sum("panic" in line for line in site.since(0)))


def fill(site, word):
    """Has every device show a text of its own; returns them by idx."""
    known(site)
    client = site.client()
    values = {}
    for row in site.own("B0"):
        answer = client.command(
            "udevice", idx=row["idx"], nvalue=0, svalue="%s %s" % (word, row["idx"])
        )
        if answer["status"] == "OK":
            values[int(row["idx"])] = "%s %s" % (word, row["idx"])
    client.close()
    return values


def known(site):
    """Waits until the devices have their hardware's name: the API is there before the plugins are."""
    site.wait("B0: started", 1, 60)


def shown(site):
    """The texts of the devices, by idx."""
    known(site)
    return {int(row["idx"]): row["Data"] for row in site.own("B0")}


def clean_stops(stage, site, report):
    """The file alone, copied after a stop, has all that was acknowledged."""
    stops = stage.choose(3, 20)
    left = stale = few = 0
    for number in range(stops):
        site.start()
        values = fill(site, "stop %d" % number)
        few += len(values) != DEVICES
        site.stop()
        left += any(os.path.exists(site.database + end) for end in ("-wal", "-shm"))
        copy = os.path.join(site.folder, "copy.db")
        shutil.copy(site.database, copy)
        database = sqlite3.connect(copy)
        rows = dict(database.execute("SELECT id, s_value FROM devices"))
        stale += any(rows.get(idx) != value for idx, value in values.items())
        stale += database.execute("PRAGMA integrity_check").fetchone()[0] != "ok"
        database.close()
    report.figure("clean stops", stops)
    report.zero("of them with a write-ahead log left", left)
    report.zero("of them whose file alone is stale or damaged", stale)
    report.zero("of them before which not all writes were taken", few)


def crashed(site, keep):
    """Keeps a data folder as a kill leaves it, and one as a clean stop leaves it."""
    site.start()
    clean = fill(site, "clean")
    site.stop()
    shutil.copytree(site.data, keep + "-clean")
    site.start()
    killed = fill(site, "killed")
    site.kill()
    shutil.copytree(site.data, keep + "-killed")
    site.values = {"clean": clean, "killed": killed}


def lay(site, keep, which):
    """Puts a kept data folder in place."""
    shutil.rmtree(site.data)
    shutil.copytree("%s-%s" % (keep, which), site.data)


def digests(site):
    """Hashes of the database's files."""
    found = {}
    for name in sorted(os.listdir(site.data)):
        if name.startswith("cordon.db") and not name.endswith("-shm"):
            with open(os.path.join(site.data, name), "rb") as file:
                found[name] = hashlib.sha256(file.read()).hexdigest()
    return found


def empty_beside_wal(site, keep, report):
    """An empty database beside a log full of rows is refused, and nothing changes."""
    lay(site, keep, "killed")
    report.figure("size of the log that a kill leaves", os.path.getsize(site.database + "-wal"))
    open(site.database, "w").close()
    refused(site, report, "empty cordon.db beside a WAL")
    lay(site, keep, "killed")
    os.remove(site.database)
    refused(site, report, "a WAL without cordon.db")
    lay(site, keep, "killed")
    site.start()
    whole = shown(site) == site.values["killed"]
    site.stop()
    report.check(
        "the same folder as the kill left it: all values there",
        "yes" if whole else "no",
        "yes",
        whole,
    )


def backup_beside_wal(site, keep, report):
    """An older backup, copied over the database while the log of the newer one lies there, is refused."""
    lay(site, keep, "killed")
    shutil.copy(os.path.join(keep + "-clean", "cordon.db"), site.database)
    refused(site, report, "an older cordon.db beside the WAL of a newer one")
    os.remove(site.database + "-wal")
    outcome = site.attempt(PATIENCE)
    whole = outcome == "ready" and shown(site) == site.values["clean"]
    site.kill()
    report.check(
        "the same with the WAL taken away: the backup's values",
        "yes" if whole else outcome,
        "yes",
        whole,
    )


def refused(site, report, what):
    """Starts the hub, which has to refuse and to name the log."""
    before = digests(site)
    outcome = site.attempt(PATIENCE)
    if outcome != "ended":
        site.kill()
    code = site.process.wait()
    words = " ".join(site.now()[:-1])
    report.check(
        what,
        "%s, exit code %s" % (outcome, code),
        "refused",
        outcome == "ended" and code not in (0, None),
    )
    report.check(
        "its words name the log",
        "yes" if "cordon.db-wal" in words else "no",
        "yes",
        "cordon.db-wal" in words,
    )
    changed = [name for name in before if digests(site).get(name) != before[name]]
    report.check(
        "files that it changed",
        ", ".join(changed) or "0",
        "0",
        not changed and set(digests(site)) == set(before),
    )
    report.note("%s: %s" % (what, words[-300:].replace(site.folder, "")))


def mutations(stage, site, keep, report):
    """Spoils the database or its log in a way of each kind; no kind may hang, panic or lose rows without a word."""
    chance = stage.random
    kinds = {
        "garbage": ("clean", 1, lambda path: write(path, chance.randbytes(100000))),
        "text": ("clean", 1, lambda path: write(path, b"no database\n" * 1000)),
        "a database of another program": ("clean", 1, foreign),
        "truncated": ("clean", 6, lambda path: cut(chance, path)),
        "truncated, beside its WAL": ("killed", 6, lambda path: cut(chance, path)),
        "a page of zeros": ("clean", 6, lambda path: zeros(chance, path)),
        "bits turned over": ("clean", 6, lambda path: turn(chance, path)),
        "WAL truncated": ("killed", 4, lambda path: cut(chance, path + "-wal")),
        "bits of the WAL turned over": ("killed", 4, lambda path: turn(chance, path + "-wal")),
    }
    total = collections.Counter()
    for kind, (which, count, spoil) in kinds.items():
        outcomes = collections.Counter()
        for _ in range(count * stage.choose(1, 4) if count > 1 else 1):
            lay(site, keep, which)
            spoil(site.database)
            outcomes[
                spoilt(
                    site, which, "WAL" in kind and not kind.startswith("truncated"), report, kind
                )
            ] += 1
        total.update(outcomes)
        report.figure(
            "%s (%s)" % (kind, which),
            ", ".join("%d %s" % (n, it) for it, n in sorted(outcomes.items())),
        )
    report.figure("mutations", total.total())
    for wrong in (
        "hang",
        "end without words",
        "change what they refuse",
        "start without acknowledged rows",
        "start with other values",
    ):
        report.zero("of them that " + wrong, total[wrong])


def spoilt(site, which, log, report, kind):
    """How the hub takes a spoilt database."""
    before = digests(site)
    outcome = site.attempt(PATIENCE)
    if outcome == "hangs":
        site.kill()
        return "hang"
    if outcome == "ended":
        site.process.wait()
        words = " ".join(site.now()[:-1])
        changed = [name for name in before if digests(site).get(name) != before[name]]
        if "cordon.db" not in words or site.process.returncode == 0 or "panicked" in words:
            report.note("%s: exit code %s, %s" % (kind, site.process.returncode, words[-300:]))
            return "end without words"
        if changed:
            words = words[-200:].replace(site.folder, "")
            report.note("%s: refused, but changed %s: %s" % (kind, ", ".join(changed), words))
            return "change what they refuse"
        return "refused"
    rows = shown(site)
    site.kill()
    expected = site.values[which]
    if log:
        # Frames that do not fit their checksum end the log, as after a loss of power: older values, but all rows.
        older = site.values["clean"]
        if any(rows.get(idx) not in (expected[idx], older[idx]) for idx in expected):
            report.note("%s: started with %d rows" % (kind, len(rows)))
            return "start without acknowledged rows"
        return (
            "start with all" if rows == expected else "start with the values before the spoilt part"
        )
    if set(rows) != set(expected):
        report.note("%s: started with %d of %d rows" % (kind, len(rows), len(expected)))
        return "start without acknowledged rows"
    wrong = [idx for idx in expected if rows[idx] != expected[idx]]
    if wrong:
        # SQLite has no checksums: a bit that is turned over inside of a text is a different text.
        close = all(len(rows[idx]) == len(expected[idx]) for idx in wrong)
        if close and kind == "bits turned over":
            return "start with bits turned over in texts"
        report.note(
            "%s: device %d shows %r instead of %r"
            % (kind, wrong[0], rows[wrong[0]], expected[wrong[0]])
        )
        return "start with other values"
    return "start with all"


def write(path, content):
    """Puts other content in place of the file's."""
    with open(path, "wb") as file:
        file.write(content)


def foreign(path):
    """Puts a sound database there that no hub has made."""
    os.remove(path)
    database = sqlite3.connect(path)
    database.executescript("CREATE TABLE things (name); INSERT INTO things VALUES ('one');")
    database.close()


def cut(chance, path):
    """Cuts the file off somewhere."""
    os.truncate(path, chance.randrange(1, os.path.getsize(path)))


def zeros(chance, path):
    """Makes one page but the first one of zeros."""
    with open(path, "r+b") as file:
        file.seek(4096 * chance.randrange(1, os.path.getsize(path) // 4096))
        file.write(bytes(4096))


def turn(chance, path):
    """Turns a few bits over."""
    with open(path, "r+b") as file:
        content = bytearray(file.read())
        for _ in range(chance.choice((1, 4, 64))):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        file.seek(0)
        file.write(content)
