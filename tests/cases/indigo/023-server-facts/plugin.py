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
        server.log("done")
