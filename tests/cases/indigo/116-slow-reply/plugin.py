import time


class Plugin(indigo.PluginBase):
    def slow(self, action):
        time.sleep(23)

    def quick(self, action):
        return "quick"
