import logging
import os
import warnings


class Plugin(indigo.PluginBase):
    def startup(self):
        self.logger.threaddebug("not yet")
        self.indigo_log_handler.setLevel(logging.THREADDEBUG)
        self.plugin_file_handler.setLevel(logging.THREADDEBUG)
        self.logger.threaddebug("own %d", 5)
        logging.getLogger("Plugin.part").threaddebug("of a child")
        self.logger.info("a bad %d %s", 1)
        warnings.warn("old ways")
        self.logger.info("after it")
        with open(os.path.join(indigo.server.getLogsFolderPath(self.pluginId), "plugin.log")) as file:
            text = file.read()
        found = [part for part in ("not yet", "own 5", "of a child", "after it") if part in text]
        indigo.server.log("file %s, %s" % (", ".join(found), "a bad" if "a bad" in text else "no bad"))
        indigo.server.log("done")
