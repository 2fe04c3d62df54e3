NAMES = dict(
    first="hall"  # kept for those in need
)


class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.server.log("in the " + dict(
            room=NAMES["first"]  # asked for once in a while
        )["room"])
