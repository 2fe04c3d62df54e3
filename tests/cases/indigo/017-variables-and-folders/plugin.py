def raises(what, call):
    try:
        call()
        indigo.server.log(what + " nothing")
    except Exception as error:
        indigo.server.log("%s %s %s" % (what, type(error).__name__, error.args[0] if error.args else ""))


class Plugin(indigo.PluginBase):
    def startup(self):
        var = indigo.variable.create("five", value="5")
        indigo.server.log("text " + var.value)
        raises("space", lambda: indigo.variable.create("two words"))
        raises("twice", lambda: indigo.variable.create("five"))
        raises("number", lambda: indigo.variable.updateValue(var, value=6))
        raises("missing", lambda: indigo.variables["nope"])
        folder = indigo.variables.folder.create("box")
        indigo.variable.moveToFolder(var, value=folder)
        indigo.server.log("folder %s" % (indigo.variables["five"].folderId == folder.id))
        indigo.variable.updateValue("five", value="6")
        indigo.server.log("copy " + indigo.variable.duplicate("five", duplicateName="six").value)
        raises("read-only", lambda: indigo.variable.updateValue("isDaylight", value="x"))
        indigo.server.log("inside %d" % sum(it.folderId == folder.id and it.name == "five" for it in indigo.variables))
        indigo.variables.folder.delete(folder, deleteAllChildren=True)
        raises("gone", lambda: indigo.variables["five"])
        indigo.server.log("done")
