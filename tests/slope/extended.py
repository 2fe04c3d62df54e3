def unit(device, number):
    if device not in Devices or number not in Devices[device].Units:
        Domoticz.Unit(Name="u", DeviceID=device, Unit=number, TypeName="Text", Used=1,
                      Options={"a": "b"}).Create()
    return Devices[device].Units[number]


@measure("devices.update")
def update():
    it, numbers = unit("d", 1), itertools.count(1000000)

    def work():
        it.sValue = str(next(numbers))
        it.Update(Log=True)
    return work


@measure("devices.update")
def update_of_everything():
    it, numbers = unit("d", 1), itertools.count(1000000)

    def work():
        it.sValue = it.Name = it.Description = str(next(numbers))
        it.Options = {"a": it.sValue}
        it.Update(Log=True, UpdateProperties=True, UpdateOptions=True)
    return work


@measure("devices.touch")
def touch():
    return unit("d", 1).Touch


@measure("devices.get")
def refresh():
    return Devices["d"].Refresh if hasattr(Devices["d"], "Refresh") else unit("d", 1).Refresh


@measure("devices.get")
def refresh_of_a_unit():
    return unit("d", 1).Refresh


@measure("devices.create", "devices.delete", share=4)
def create_and_delete():
    return lambda: unit("e", 3).Delete()


say = Domoticz.Log


def onStart():
    OPTIONS.update(json.loads(Parameters["Mode1"]))
    unit("d", 1)
    Domoticz.Heartbeat(1)


def onHeartbeat():
    if some_cases():
        tell()
