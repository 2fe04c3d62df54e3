class Plugin(indigo.PluginBase):
    def startup(self):
        try:
            indigo.server.sendEmailTo("someone@example.org", subject="s", body="b")
        except NotImplementedError as refusal:
            indigo.server.log("mail: indigo.server.sendEmailTo")
            indigo.server.log(str(refusal))
        try:
            indigo.server.speak("hello", waitUntilDone=True)
        except NotImplementedError as refusal:
            indigo.server.log("speech: indigo.server.speak")
            indigo.server.log(str(refusal))
        indigo.server.log("done")
