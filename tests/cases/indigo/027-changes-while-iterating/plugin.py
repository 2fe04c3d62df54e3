class Plugin(indigo.PluginBase):
    def startup(self):
        made = indigo.Dict({"a": 1, "b": {"c": 2}, "d": [3]})
        for key in made:
            if key != "a":
                del made[key]
        indigo.server.log("kept " + " ".join(made))
        dev = indigo.device.create(protocol=indigo.kProtocol.Plugin, name="lamp", deviceTypeId="relay",
                                   props={"old": 1, "keep": 2, "older": 3})
        props = dev.pluginProps
        for key in props:
            if key != "keep":
                del props[key]
        dev.replacePluginPropsOnServer(props)
        indigo.server.log("props " + " ".join(indigo.devices["lamp"].pluginProps.keys()))
        items = indigo.List([1, [2], {"c": 3}, 4])
        for item in items:
            items.remove(item)
        indigo.server.log("list %s" % list(items))
        for key in made:
            for number in range(3):
                made[key + str(number)] = number
        indigo.server.log("added %d" % len(made))
        for name in ("one", "two", "three"):
            indigo.variable.create(name)
        seen = []
        for var in indigo.variables.iter("indigo.readWrite"):
            seen.append(var.name)
            indigo.variable.delete(var)
            indigo.variable.create("new_" + var.name)
        left = [var.name for var in indigo.variables.iter("indigo.readWrite") if not var.name.startswith("new_")]
        indigo.server.log("variables %s, left %d" % (" ".join(seen), len(left)))
        indigo.server.log("done")
