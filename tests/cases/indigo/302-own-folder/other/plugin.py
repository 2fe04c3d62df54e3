class Plugin(indigo.PluginBase):
    pass
