import datetime
import json

BASE = """id name description address version model subModel subType deviceTypeId pluginId protocol enabled configured folderId
    remoteDisplay lastChanged lastSuccessfulComm errorState batteryLevel buttonGroupCount states displayStateId displayStateValRaw
    displayStateValUi displayStateImageSel pluginProps ownerProps globalProps sharedProps supportsOnState supportsStatusRequest
    supportsAllOff supportsAllLightsOnOff energyCurLevel energyAccumTotal energyAccumBaseTime energyAccumTimeDelta""".split()
RELAY = "onState ledStates buttonConfiguredCount".split()
DIMMER = RELAY + """brightness defaultBrightness onBrightensToDefaultToggle onBrightensToLast supportsColor supportsRGB supportsWhite
    supportsTwoWhiteLevels supportsWhiteTemperature supportsRGBandWhiteSimultaneously redLevel greenLevel blueLevel whiteLevel
    whiteLevel2 whiteTemperature""".split()
SENSOR = "onState sensorValue allowOnStateChange allowSensorValueChange supportsSensorValue".split()
SPEED = "onState speedIndex speedIndexCount speedLevel".split()
THERMOSTAT = """hvacMode fanMode coolSetpoint heatSetpoint temperatures humidities temperatureSensorCount humiditySensorCount coolIsOn
    heatIsOn fanIsOn dehumidifierIsOn humidifierIsOn supportsHvacFanMode supportsHvacOperationMode supportsCoolSetpoint
    supportsHeatSetpoint""".split()
SPRINKLER = """activeZone zoneCount zoneNames zoneEnableList zoneMaxDurations zoneScheduledDurations pausedScheduleZone
    pausedScheduleRemainingZoneDuration""".split()
INPUTS = """analogInputs binaryInputs sensorInputs binaryOutputs analogInputCount binaryInputCount sensorInputCount
    binaryOutputCount""".split()
COLOURS = ["redLevel", "greenLevel", "blueLevel", "whiteLevel", "whiteLevel2", "whiteTemperature"]


class Plugin(indigo.PluginBase):
    def same(self, what, value, expected):
        if value != expected:
            self.logger.error("FAIL %s: %r instead of %r", what, value, expected)

    def attributes(self, dev, **expected):
        for name, value in expected.items():
            seen = getattr(dev, name)
            self.same("%s.%s" % (dev.name, name), list(seen) if isinstance(seen, indigo.List) else seen, value)

    def make(self, kind, own, states, **props):
        """A device with these attributes and states, fresh and looked up."""
        self.count += 1
        name = "%s %d" % (kind, self.count)
        dev = indigo.device.create(indigo.kProtocol.Plugin, name=name, deviceTypeId=kind, props=props)
        for copy in (dev, indigo.devices[dev.id]):
            self.same(name + " attributes", sorted(set(BASE + own) - set(dict(copy))), [])
            keys = [key for key in copy.states.keys() if not key.endswith(".ui")]
            self.same(name + " states", sorted(keys), sorted(states))
        json.dumps(dict(dev), cls=indigo.utils.JSONDateEncoder)
        return dev

    def write(self, dev, **states):
        """Writes states; the copy that wrote them, and one that was fetched."""
        dev.updateStatesOnServer([{"key": key, "value": value} for key, value in states.items()])
        return dev, indigo.devices[dev.id]

    def startup(self):
        self.count = 0
        for part in ("relay", "dimmer", "sensor", "speedcontrol", "thermostat", "sprinkler", "iodevice", "custom", "common"):
            try:
                getattr(self, part)()
            except Exception:
                self.logger.exception("FAIL in %s", part)
            self.logger.info("checked " + part)
        self.logger.info("all checks are done")

    def relay(self):
        dev = self.make("relay", RELAY, ["onOffState"])
        self.same("class", type(dev).__mro__[:3], (indigo.RelayDevice, indigo.Device, indigo.Device.__mro__[1]))
        self.attributes(dev, onState=False, supportsOnState=True, supportsStatusRequest=True, ledStates=[], displayStateId="onOffState",
                        displayStateValRaw=False, displayStateValUi="off", batteryLevel=None, energyCurLevel=None, energyAccumTotal=None,
                        supportsAllOff=False, supportsAllLightsOnOff=False)
        for copy in self.write(dev, onOffState=True):
            self.attributes(copy, onState=True)
        self.attributes(indigo.devices[dev.id], displayStateValUi="on")
        lock = self.make("relay", RELAY, ["onOffState"], IsLockSubType=True, SupportsStatusRequest=False)
        self.attributes(lock, supportsStatusRequest=False)

    def dimmer(self):
        dev = self.make("dimmer", DIMMER, ["onOffState", "brightnessLevel"])
        self.same("a dimmer is a relay", isinstance(dev, indigo.RelayDevice) and type(dev) is indigo.DimmerDevice, True)
        self.attributes(dev, brightness=0, onState=False, supportsColor=False, supportsRGB=False, supportsWhite=False,
                        supportsTwoWhiteLevels=False, supportsWhiteTemperature=False, redLevel=None, whiteTemperature=None)
        for copy in self.write(dev, brightnessLevel=30):
            self.attributes(copy, brightness=30, onState=True)
        for copy in self.write(dev, onOffState=False)[1:]:
            self.attributes(copy, brightness=0, onState=False)
        flags = ("SupportsColor", "SupportsRGB", "SupportsWhite", "SupportsTwoWhiteLevels", "SupportsWhiteTemperature",
                 "SupportsRGBandWhiteSimultaneously", "SupportsTwoWhiteLevelsSimultaneously")
        dev = self.make("dimmer", DIMMER, ["onOffState", "brightnessLevel"] + COLOURS, **{flag: True for flag in flags})
        self.attributes(dev, **{"s" + flag[1:]: True for flag in flags})
        for copy in self.write(dev, redLevel=12.5, whiteTemperature=3000):
            self.attributes(copy, redLevel=12.5, whiteTemperature=3000, blueLevel=0)

    def sensor(self):
        dev = self.make("sensor", SENSOR, ["onOffState"])
        self.attributes(dev, onState=False, sensorValue=None, supportsOnState=True, supportsSensorValue=False, allowOnStateChange=False)
        dev = self.make("sensor", SENSOR, ["sensorValue"], SupportsOnState="false", SupportsSensorValue="true", AllowSensorValueChange=True)
        self.attributes(dev, onState=None, sensorValue=0, supportsOnState=False, supportsSensorValue=True, allowSensorValueChange=True)
        dev.updateStateOnServer("sensorValue", 72.26, uiValue="72.3 °F", decimalPlaces=1)
        for copy in (dev, indigo.devices[dev.id]):
            self.same("value", (copy.sensorValue, copy.states["sensorValue"], copy.states["sensorValue.ui"]), (72.3, 72.3, "72.3 °F"))
        dev = self.make("sensor", SENSOR, ["onOffState", "sensorValue"], SupportsOnState=True, SupportsSensorValue=True, AllowOnStateChange=True)
        self.attributes(dev, allowOnStateChange=True, displayStateId="sensorValue")

    def speedcontrol(self):
        dev = self.make("fan", SPEED, ["onOffState", "speedIndex", "speedLevel"])
        self.attributes(dev, onState=False, speedIndex=0, speedIndexCount=4, speedLevel=0)
        self.same("words", dev.states["speedIndex.ui"], "off")
        dev, fetched = self.write(dev, speedIndex=2)
        self.attributes(fetched, speedIndex=2, speedLevel=67, onState=True, displayStateValUi="medium")
        fetched = self.write(dev, speedLevel=100)[1]
        self.same("words", (fetched.speedIndex, fetched.states["speedIndex.ui"]), (3, "high"))
        dev.updateStateOnServer("speedIndex", 1, uiValue="gentle")
        self.same("own words", indigo.devices[dev.id].states["speedIndex.ui"], "gentle")
        dev = self.make("fan", SPEED, ["onOffState", "speedIndex", "speedLevel"], SpeedIndexCount=6)
        self.same("more", (self.write(dev, speedIndex=5)[1].speedLevel, indigo.devices[dev.id].states["speedIndex.ui"], dev.speedIndexCount),
                  (100, "5", 6))

    def thermostat(self):
        self.make("thermostat", THERMOSTAT, ["temperatureInput1", "temperatureInputsAll"], SupportsHeatSetpoint=False, SupportsCoolSetpoint="false",
                  SupportsHvacOperationMode=False, SupportsHvacFanMode="False")
        modes = ["hvacOperationModeIs" + mode for mode in "Off Heat Cool Auto ProgramHeat ProgramCool ProgramAuto".split()]
        equipment = ["hvacCoolerIsOn", "hvacHeaterIsOn", "hvacFanIsOn", "hvacDehumidifierIsOn", "hvacHumidifierIsOn"]
        states = ["temperatureInput1", "temperatureInput2", "temperatureInputsAll", "humidityInput1", "humidityInputsAll", "setpointHeat",
                  "setpointCool", "hvacOperationMode", "hvacFanMode", "hvacFanIsAuto", "hvacFanIsAlwaysOn"] + modes + equipment
        dev = self.make("thermostat", THERMOSTAT, states, NumTemperatureInputs="2", NumHumidityInputs=1,
                        ShowCoolHeatEquipmentStateUI=True)
        self.attributes(dev, supportsHeatSetpoint=True, supportsCoolSetpoint=True, supportsHvacOperationMode=True, supportsHvacFanMode=True,
                        temperatureSensorCount=2, humiditySensorCount=1, coolIsOn=False, heatIsOn=False, fanIsOn=False,
                        dehumidifierIsOn=False, humidifierIsOn=False)
        for copy in self.write(dev, temperatureInput2=20.5, humidityInput1=44, setpointHeat=21.5, setpointCool=25, hvacHeaterIsOn=True,
                               hvacFanMode=indigo.kFanMode.AlwaysOn, hvacOperationMode=indigo.kHvacMode.ProgramHeatCool):
            self.attributes(copy, temperatures=[0, 20.5], humidities=[44], heatSetpoint=21.5, coolSetpoint=25, heatIsOn=True, coolIsOn=False,
                            hvacMode=indigo.kHvacMode.ProgramHeatCool, fanMode=indigo.kFanMode.AlwaysOn)
        states = indigo.devices[dev.id].states
        self.same("all", (states["temperatureInputsAll"], states["humidityInputsAll"]), ("0, 20.5", "44"))
        self.same("modes", [mode for mode in modes if states[mode]], ["hvacOperationModeIsProgramAuto"])
        self.same("fan", (states["hvacFanIsAuto"], states["hvacFanIsAlwaysOn"]), (False, True))
        plain = self.make("thermostat", THERMOSTAT, ["temperatureInput1", "temperatureInputsAll"], SupportsHeatSetpoint=False, SupportsCoolSetpoint="false",
                  SupportsHvacOperationMode=False, SupportsHvacFanMode="False")
        self.attributes(plain, coolIsOn=False, humidifierIsOn=False, supportsHeatSetpoint=False, humidities=[])

    def sprinkler(self):
        dev = self.make("sprinkler", SPRINKLER, ["activeZone", "zone1", "zone2", "zone3"], NumZones=3, ZoneNames="Lawn, Beds",
                        MaxZoneDurations="10, 0, 7.5")
        self.attributes(dev, activeZone=None, zoneCount=3, zoneNames=["Lawn", "Beds", "zone 3"], zoneEnableList=[True, False, True],
                        zoneMaxDurations=[10.0, 0.0, 7.5], zoneScheduledDurations=[], pausedScheduleZone=None,
                        pausedScheduleRemainingZoneDuration=None)
        self.same("off", (dev.states["activeZone"], dev.states["activeZone.ui"]), (0, "all zones off"))
        for copy in self.write(dev, activeZone=2):
            self.attributes(copy, activeZone=2)
        states = indigo.devices[dev.id].states
        self.same("zones", (states["zone1"], states["zone2"], states["activeZone.ui"]), (False, True, "Beds"))
        for copy in self.write(dev, activeZone=0):
            self.attributes(copy, activeZone=None)
        props = dev.pluginProps
        props.update({"ScheduledZoneDurations": "5,0,2", "PauseScheduleZoneIndex": 3, "PauseScheduleRemainingZoneDuration": 1.5})
        dev.replacePluginPropsOnServer(props)
        self.attributes(indigo.devices[dev.id], zoneScheduledDurations=[5.0, 0.0, 2.0], pausedScheduleZone=3,
                        pausedScheduleRemainingZoneDuration=1.5)

    def iodevice(self):
        dev = self.make("box", INPUTS, ["analogInput1", "analogInputsAll", "binaryOutput1", "binaryOutputsAll"], NumAnalogInputs=1, NumBinaryOutputs=1)
        self.attributes(dev, analogInputs=[0], binaryOutputs=[False], binaryInputs=[], sensorInputs=[], binaryInputCount=0)
        for copy in self.write(dev, analogInput1=7, binaryOutput1=True):
            self.attributes(copy, analogInputs=[7], binaryOutputs=[True])

    def custom(self):
        dev = self.make("meter", [], ["power", "text", "mode", "mode.eco", "mode.full"])
        self.same("class", type(dev), indigo.Device)
        self.attributes(dev, supportsOnState=False, supportsStatusRequest=False, displayStateId="power")
        dev = self.make("meter", [], ["power", "text", "mode", "mode.eco", "mode.full", "onOffState"], SupportsOnState=True,
                        SupportsStatusRequest=True)
        self.attributes(dev, supportsOnState=True, supportsStatusRequest=True)

    def common(self):
        dev = self.make("relay", RELAY, ["onOffState", "batteryLevel", "curEnergyLevel", "accumEnergyTotal"], address="10.0.0.1", version="1.2",
                        SupportsBatteryLevel=True, SupportsEnergyMeter=True, SupportsEnergyMeterCurPower=True)
        self.attributes(dev, address="10.0.0.1", version="1.2", model="Relay", subModel="", subType="", deviceTypeId="relay",
                        pluginId=self.pluginId, protocol=indigo.kProtocol.Plugin, enabled=True, configured=True, folderId=0,
                        remoteDisplay=True, errorState="", buttonGroupCount=0, displayStateImageSel=indigo.kStateImageSel.Auto,
                        energyAccumBaseTime=None, energyAccumTimeDelta=None, supportsEnergyMeter=True, supportsPowerMeter=True)
        self.same("times", (type(dev.lastChanged), type(dev.lastSuccessfulComm)), (datetime.datetime,) * 2)
        for copy in self.write(dev, batteryLevel=80, curEnergyLevel=12.5, accumEnergyTotal=0):
            self.attributes(copy, batteryLevel=80, energyCurLevel=12.5, energyAccumTotal=0)
        fetched = indigo.devices[dev.id]
        self.same("base time", (type(fetched.energyAccumBaseTime), fetched.energyAccumTimeDelta < 60), (datetime.datetime, True))
        self.same("props", (dev.ownerProps["version"], dev.globalProps[self.pluginId]["address"], dev.sharedProps.to_dict()),
                  ("1.2", "10.0.0.1", {}))
        for name in ("id", "pluginId", "states", "errorState", "lastChanged", "batteryLevel"):
            try:
                setattr(dev, name, 5)
                self.logger.error("FAIL %s can be set", name)
            except AttributeError:
                pass
        dev.name, dev.description, dev.model, dev.subModel, dev.subType = "renamed", "notes", "M", "S", indigo.kRelayDeviceSubType.Outlet
        dev.remoteDisplay = dev.configured = False
        dev.replaceOnServer()
        self.attributes(indigo.devices[dev.id], name="renamed", description="notes", model="M", subModel="S", subType="Outlet",
                        remoteDisplay=False, configured=False)
