class Plugin(indigo.PluginBase):
    def burst(self, action):
        for number in range(1, 601):
            indigo.variable.updateValue("v", value=str(number))
