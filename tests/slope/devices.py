import io, zipfile


def icons(base):
    archive = io.BytesIO()
    picture = b"\x89PNG\r\n\x1a\n" + bytes(64)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("icons.txt", "%s;%s;%s" % (base, base, base))
        for name in ("%s.png", "%s48_On.png", "%s48_Off.png"):
            file.writestr(name % base, picture)
    return archive.getvalue()


def device(unit):
    if unit not in Devices:
        Domoticz.Device(Name="d%d" % unit, Unit=unit, TypeName="Text", Used=1,
                        Options={"a": "b"}, Description="a device").Create()
    return Devices[unit]


@measure("devices.update")
def update():
    it, numbers = device(1), itertools.count(1000000)
    return lambda: it.Update(nValue=0, sValue=str(next(numbers)))


@measure("devices.update")
def update_of_everything():
    it, numbers = device(1), itertools.count(1000000)

    def work():
        text = str(next(numbers))
        it.Update(0, text, SignalLevel=7, BatteryLevel=60, Name=text, Description=text,
                  Options={"a": text}, TimedOut=0, Used=1, Color='{"m":1}', SuppressTriggers=True)
    return work


@measure("devices.touch")
def touch():
    return device(1).Touch


@measure("devices.get")
def refresh():
    return device(1).Refresh


@measure("devices.get")
def a_row_that_is_missing():
    return lambda: _cordon.device_get(None, 200)


@measure("devices.list")
def rows():
    device(2)
    return _cordon.devices_list


@measure("devices.create", "devices.delete", share=4)
def create_and_delete():
    def work():
        device(9)
        Devices[9].Delete()
    return work


@measure("devices.update")
def a_refused_update():
    return lambda: _cordon.device_update(1 << 40, {"name": "x"})


@measure("configuration.load", "configuration.store")
def configuration():
    numbers = itertools.count(1000000)

    def work():
        Domoticz.Configuration({"n": next(numbers), "list": [1, 2.5, "x", None]})
        Domoticz.Configuration()
    return work


@measure("images.list")
def icon_sets():
    return _cordon.images_list


@measure("images.create", "images.delete", share=20)
def icon_sets_made():
    archive = icons("Slope")

    def work():
        made, *rest = _cordon.image_create(archive)
        assert made, rest
        for image in rest:
            _cordon.image_delete(image[0])
    return work


@measure("log.write")
def log_lines():
    numbers = itertools.count(1000000)
    return lambda: Domoticz.Debug("line %d" % next(numbers))


@measure("log.write", share=4)
def printed_lines():
    numbers = itertools.count(1000000)
    return lambda: print("line", next(numbers))


@measure("notifier.register")
def notifier():
    return lambda: Domoticz.Notifier("slope")


@measure("schedule.heartbeat", "schedule.set-heartbeat")
def heartbeat():
    def work():
        Domoticz.Heartbeat(1)
        _cordon.heartbeat()
    return work


@measure("storage.room")
def room():
    return _cordon.storage


@measure()
def refused_arguments():
    return lambda: device(1).Update(1, 2, 3, Unknown=4)


DELIVERED = {}


def delivered(kind):
    """Counts an event that the test delivers from outside."""
    count, before = DELIVERED.get(kind, (0, None))
    count += 1
    if count == 40:
        before = settled()
    if count == 40 + OPTIONS["events"]:
        result(kind, OPTIONS["events"], before)
    DELIVERED[kind] = count, before


covers("domoticz.deliver", "guest.start", "guest.run-thread")


say = Domoticz.Log


def onStart():
    OPTIONS.update(json.loads(Parameters["Mode1"]))
    Domoticz.Debugging(2)
    device(1)
    Domoticz.Heartbeat(1)
    Domoticz.Log("slope: started")


def onCommand(Unit, Command, Level, Color):
    delivered("onCommand")


def onNotification(Name, Subject, Text, Status, Priority, Sound, ImageFile):
    delivered("onNotification")


def onSecurityEvent(Unit, Level, Description):
    delivered("onSecurityEvent")


def onDeviceModified(Unit):
    delivered("onDeviceModified")


def onHeartbeat():
    if some_cases():
        tell()
