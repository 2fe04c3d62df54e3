"""
<plugin key="Fields" name="A & B" version="1.0" author="tests">
    <params>
        <param field="Mode1" label="Choice">
            <options>
                <option label="x" value="y" default="True"/>
                <option label="v" value="w" default="true"/>
            </options>
        </param>
    </params>
</plugin>
"""
import Domoticz


def onStart():
    Domoticz.Log("started in fields")
