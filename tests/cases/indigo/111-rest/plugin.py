class Plugin(indigo.PluginBase):
    def startup(self):
        self.logger.info("started")

    def actionControlDevice(self, action, dev):
        self.logger.info(f"{dev.name} {action.deviceAction} {action.actionValue}")

    def beep(self, action, dev):
        return f"{dev.name} {action.props['times']}"
