class Plugin(indigo.PluginBase):
    def double(self, action):
        return action.props["value"] * 2

    def keep(self, action):
        self.value = action.props["value"]
        return "nobody waits"

    def kept(self, action):
        return self.value

    def fail(self, action):
        raise ValueError("no such room")
