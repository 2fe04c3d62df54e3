class Plugin(indigo.PluginBase):
    def warn(self, action):
        self.logger.warning("from the other")
