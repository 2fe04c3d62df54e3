import datetime


class Plugin(indigo.PluginBase):
    def startup(self):
        server = indigo.server
        server.log("place %.2f" % server.getLatitudeAndLongitude()[0])
        day = datetime.date(2024, 6, 21)
        rise, setting = server.calculateSunrise(day), server.calculateSunset(day)
        server.log("sun %s" % (rise < setting and abs((server.getTime() - datetime.datetime.now()).total_seconds()) < 60))
        server.log("folder " + server.getInstallFolderPath())
        server.log("logs " + server.getLogsFolderPath(self.pluginId))
        lines = server.getEventLogList(returnAsList=True, lineCount=100)
        server.log("lines %s" % any("folder /data" in line["Message"] for line in lines))
        server.log("hello", type="typed")
        server.log("facts %s" % ((server.apiVersion, type(server.version), type(server.address), server.portNum, server.connectionGood, server.licenseStatus)
                                == ("3.8", str, str, 8176, True, indigo.kLicenseStatus.ActiveSubscription)))
        path, name = server.getDbFilePath(), server.getDbName()
        server.log("places %s" % ("." not in name and path.endswith("/%s.indiDb" % name) and server.getReflectorURL() is None
                                 and server.getWebServerURL() == "http://127.0.0.1:8176"))
        refused = 0
        for call in (lambda: server.sendEmailTo("a@example.org", subject="s", body="b"), lambda: server.speak("hello", waitUntilDone=True)):
            try:
                call()
            except NotImplementedError:
                refused += 1
        server.log("rest %s" % ((refused, type(server.getSerialPorts(filter="indigo.ignoreBluetooth")), server.waitUntilIdle(),
                                 type(server.getDeprecatedElems(includeWarnings=True)), server.removeAllDelayedActions())
                                == (2, indigo.Dict, None, indigo.List, None)))
        text, bare = server.getEventLogList(lineCount=1), server.getEventLogList(lineCount=1, showTimeStamp=False)
        server.log("log text %s" % (type(text) is str and "rest True" in text and text[:2] == "20" and bare[:2] != "20"))
        server.log("done")
