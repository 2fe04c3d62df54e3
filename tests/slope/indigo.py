import threading

plugin = None
done = threading.Semaphore(0)


def say(text):
    indigo.server.log(text)


def lamp():
    return indigo.devices["lamp"]


@measure("commands.call")
def a_state():
    it, numbers = lamp(), itertools.count(1000000)
    return lambda: it.updateStateOnServer("onOffState", next(numbers) % 2 == 0)


@measure("commands.call")
def states():
    it, numbers = indigo.devices["meter"], itertools.count(1000000)

    def work():
        n = next(numbers)
        it.updateStatesOnServer([{"key": "power", "value": n, "uiValue": "%d W" % n},
                                 {"key": "text", "value": str(n)}])
    return work


@measure("commands.call")
def a_state_that_is_not_there():
    it = lamp()
    return lambda: it.updateStateOnServer("none", 1)


@measure("commands.call")
def an_object_replaced():
    numbers = itertools.count(1000000)

    def work():
        it = lamp()
        it.description = str(next(numbers))
        it.replaceOnServer()
        it.refreshFromServer()
    return work


@measure("commands.call")
def objects():
    return lambda: [it.states for it in indigo.devices.iter("self")]


@measure("commands.call")
def a_name_that_is_not_there():
    def work():
        try:
            indigo.devices["nothing"]
        except KeyError:
            pass
    return work


@measure("commands.call")
def variables():
    numbers = itertools.count(1000000)
    if "slope" not in indigo.variables:
        indigo.variable.create("slope", "0")
    return lambda: indigo.variable.updateValue("slope", str(next(numbers)))


@measure("commands.call", share=4)
def variables_made():
    return lambda: indigo.variable.delete(indigo.variable.create("other", "0"))


@measure("commands.call")
def properties():
    it, numbers = lamp(), itertools.count(1000000)
    return lambda: it.replacePluginPropsOnServer({"n": str(next(numbers))})


@measure("commands.call", share=4)
def lines():
    numbers = itertools.count(1000000)
    return lambda: indigo.server.log("line %d" % next(numbers))


@measure("guest.call", "commands.reply")
def actions():
    it = lamp()

    def work():
        indigo.device.turnOn(it)
        done.acquire(timeout=10)
    return work


class Plugin(indigo.PluginBase):
    def startup(self):
        OPTIONS["count"] = COUNT
        for name, kind in (("lamp", "relay"), ("meter", "meter")):
            if name not in indigo.devices:
                indigo.device.create(protocol=indigo.kProtocol.Plugin, name=name, deviceTypeId=kind)

    def actionControlDevice(self, action, dev):
        done.release()

    def runConcurrentThread(self):
        while not some_cases():
            self.sleep(0.01)
        while True:
            tell()
            self.sleep(1)
