import logging


class Plugin(indigo.PluginBase):
    def startup(self):
        self.debug = True
        for name in ("debug", "info", "warning", "error", "critical"):
            getattr(self.logger, name)("one %s", name)
        for level in (10, 20, 30, 40, 50):
            indigo.server.log("two %d" % level, level=level)
        logger = logging.getLogger("MyModule")
        logger.addHandler(self.IndigoLogHandler("MyModule", logging.DEBUG))
        logger.warning("three")
        indigo.server.log("four", type="Mine", isError=True)
        lines = [line for line in indigo.server.getEventLogList(returnAsList=True)
                 if line["Message"].split()[0] in ("one", "two", "MyModule:", "Mine:")]
        indigo.server.log("types " + ",".join(line["TypeStr"] for line in lines))
        indigo.server.log("values " + ",".join(str(line["TypeVal"]) for line in lines))
        indigo.server.subscribeToLogBroadcasts()
        indigo.server.getPlugin("org.example.other").executeAction("warn", waitUntilDone=False)

    def logBroadcast(self, message):
        if "from the other" in message:
            self.logger.info("heard %s", message)
            self.logger.info("done")
