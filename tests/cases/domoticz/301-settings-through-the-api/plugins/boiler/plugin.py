"""
<plugin key="Boiler" name="Boiler" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="PollSeconds" label="Every" type="number" min="5" max="600" step="5" default="45"/>
        <param field="Token" label="Token" password="TRUE"/>
        <group label="More">
            <param field="Retries" label="Retries" type="slider" min="0" max="9" default="3"/>
        </group>
        <param field="Kind" label="Kind"><options>
            <option label="A" value="a"/><option label="B" value="b" default="true"/>
        </options></param>
    </params>
</plugin>
"""
import Domoticz


def onStart():
    names = ("Address", "PollSeconds", "Token", "Retries", "Kind")
    Domoticz.Log(" ".join("%s=%r" % (name, Parameters.get(name)) for name in names))
