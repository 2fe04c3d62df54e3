"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param label="Nameless" default="x"/>
        <param field="mode1" label="A column, in another case" default="USB"/>
        <group label="Polling">
            <param field="PollSeconds" label="Every" type="number" min="5" max="600" step="5" default="45"/>
            <param field="pollseconds" label="Another" default="another"/>
            <param field="KeepAlive" label="Keep alive" type="boolean" default="true"/>
            <param field="Host" label="Host" required="true" visible_when="KeepAlive=false"/>
        </group>
        <param field="Kind" label="Kind" default="a"><options>
            <option label="A" value="a"/><option label="B" value="b" default="true"/>
        </options></param>
        <param field="Size" label="Size" default="m"><options>
            <option label="S" value="s"/><option label="M" value="m"/>
        </options></param>
        <param field="Author" label="A name that the hub has" default="the field"/>
        <param field="HardwareID" label="Another" default="of the field"/>
        <param field="DomoticzHash" label="One that the hub keeps" default="of the field"/>
    </params>
</plugin>
"""
import Domoticz


def onStart():
    for name in ("Address", "Mode1", "mode1", "PollSeconds", "pollseconds", "KeepAlive", "Host",
                 "Kind", "Size", "Author", "HardwareID"):
        Domoticz.Log("%s = %r" % (name, Parameters.get(name)))
    Domoticz.Log("DomoticzHash is the hub's %r" % (Parameters["DomoticzHash"] != "of the field"))
