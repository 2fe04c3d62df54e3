class Plugin(indigo.PluginBase):
    def double(self, action):
        return action.props["value"] * 2

    def fail(self, action):
        raise ValueError("no such room")
