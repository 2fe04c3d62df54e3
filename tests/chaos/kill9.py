"""Nothing that was acknowledged is lost when the hub is killed at any moment, in the middle of its start included."""

import time

from writers import DeviceWriter, IndigoWriter, VariableWriter

KILLS = {False: 15, True: 50}


def run(stage, report):
    kills = KILLS[stage.long]
    site = stage.site(20)
    site.several(2, "W", "Writer.py", more="limits = { log-lines-per-second = 10000 }")
    site.plugin("B0", "Beat.py", {"Mode2": "4"})
    site.section("[indigo-api]\nauthentication = false")
    site.start()
    site.wait(": started", 1, 60)
    site.wait(": stored ", 2, 60)
    client = site.client()
    writers = [DeviceWriter(site, row["idx"]) for row in site.own("B0")[:4]]
    writers += [VariableWriter(site, client, "count"), IndigoWriter(site, client, "count")]
    devices = len(client.command("getdevices", displayhidden="1", used="all")["result"])
    own = {"W0": 0, "W1": 0}
    for writer in writers:
        writer.start()
    ready, losses, damages, missing, faults, wrote, early = [], [], [], 0, [], 0, 0
    for round_ in range(kills):
        before = sum(writer.acknowledged for writer in writers)
        early += disturb(stage, site, round_)
        wrote += sum(writer.acknowledged for writer in writers) > before
        stored(site, own)
        known = {writer.name: writer.acknowledged for writer in writers}
        judgement = site.integrity()
        if judgement != "ok":
            damages.append("kill %d: %s" % (round_ + 1, judgement))
        site.start()
        ready.append(site.ready_after)
        losses += lost(site, writers, known, round_ + 1) + plugins_lost(site, own, round_ + 1)
        missing += devices - len(
            site.client().command("getdevices", displayhidden="1", used="all")["result"]
        )
        faults += site.faults()
    for writer in writers:
        writer.end()
    site.stop()
    report.figure("kills at work, and further ones during a start", "%d, %d" % (kills, early))
    report.figure("acknowledged writes of clients", sum(writer.count for writer in writers))
    report.figure("acknowledged writes of plugins", sum(own.values()))
    report.figure("time until ready, longest", "%.1f s" % max(ready))
    report.zero("values older than their acknowledgement", len(losses))
    report.zero("devices missing", missing)
    report.zero("databases that SQLite finds damaged", len(damages))
    report.zero("faults in the log", len(faults))
    report.check(
        "rounds in which clients wrote", "%d of %d" % (wrote, kills), "most", wrote > kills * 2 // 3
    )
    for heading, lines in (("lost", losses), ("damaged", damages), ("log", faults)):
        report.notes_of(heading, lines)


def disturb(stage, site, round_):
    """Kills the hub at a random moment; in every third round once more in the middle of its start."""
    time.sleep(0.3 + stage.random.random() * 1.2)
    site.kill()
    if round_ % 3 != 2:
        return 0
    site.begun = len(site.lines)
    site.launch()
    time.sleep(stage.random.random() * 0.8)
    site.kill()
    return 1


def stored(site, own):
    """Takes over the newest numbers of which the plugins said that they are stored."""
    for name in own:
        words = "%s: stored " % name
        numbers = [int(line.split(words)[1]) for line in site.lines if words in line]
        own[name] = max(numbers, default=own[name])


def lost(site, writers, known, round_):
    """Values that are older than they were acknowledged, or newer than they were sent."""
    found = []
    client = site.client()
    for writer in writers:
        value = writer.read(client)
        if not known[writer.name] <= value <= writer.sent:
            found.append(
                "kill %d: %s is %d; acknowledged %d, sent %d"
                % (round_, writer.name, value, known[writer.name], writer.sent)
            )
    client.close()
    return found


def plugins_lost(site, own, round_):
    """The same of what plugins have stored themselves."""
    found = []
    for name, number in own.items():
        words = "%s: found " % name
        line = site.lines[site.place(words, site.begun, 60)]
        value = int(line.split(words)[1])
        if value < number:
            found.append("kill %d: %s found %d; stored %d" % (round_, name, value, number))
    return found
