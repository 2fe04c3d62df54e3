//! Every type of device that the hub knows: one row for each pair of main type and sub type.
//!
//! The numbers are those of behaviour spec section 3. Nothing else in the hub tells types apart by
//! their bare numbers: names for clients, tabs, histories, the layout of the text value, units and
//! the kinds of notification all follow from a row here. `tests/python/test_kinds.py` compares the
//! table with that of the guest.

use crate::history::Family;

/// The layout of a reading in `sValue` and `nValue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// A switch: `nValue` is the state, `sValue` the level.
    Switch,
    /// `sValue` is a text.
    Text,
    /// `nValue` is the urgency, `sValue` a text.
    Alert,
    /// `°C`.
    Temperature,
    /// `nValue` is the relative humidity in percent, `sValue` its status.
    Humidity,
    /// `°C;%;status`.
    TempHum,
    /// `°C;%;status;hPa;forecast`.
    TempHumBaro,
    /// `°C;hPa;forecast;altitude`.
    TempBaro,
    /// `hPa;forecast`.
    Baro,
    /// `hundredths of mm/h;mm`, the second of which only grows.
    Rain,
    /// `degrees;direction;tenths of m/s;tenths of m/s in gusts;°C;chill in °C`.
    Wind,
    /// `index;°C`.
    Uv,
    /// `A;A;A`.
    Currents,
    /// One figure in `sValue`. The name of its own field in the API, or none.
    Number(&'static str),
    /// One figure in `nValue`.
    Whole,
    /// Carbon dioxide: ppm in `nValue`.
    AirQuality,
    /// `kg`.
    Weight,
    /// The temperature, or other figure, that is wanted.
    SetPoint,
    /// A figure that grows; its unit and divisor follow from the switch type.
    Counter,
    /// `counter;use`, and history that the plugin writes itself.
    Managed,
    /// `W;Wh`.
    Energy,
    /// `Wh;Wh;Wh returned;Wh returned;W;W returned`, use and return in two tariffs each.
    Meter,
    /// Gas in thousandths of m3.
    Gas,
    /// One figure, whose unit is in option `Custom`.
    Custom,
}

/// The tab of clients under which a device is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Switches.
    Light,
    /// Temperatures.
    Temp,
    /// The weather.
    Weather,
    /// Temperatures and the weather.
    Both,
    /// All the rest.
    Utility,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Main type.
    pub main: i64,
    /// Sub type; `None` stands for every one that has no row of its own.
    pub sub: Option<i64>,
    /// Name of the sub type for clients.
    pub name: &'static str,
    /// Layout of the reading.
    pub layout: Layout,
    /// Text behind the figure in `Data`, with the blank before it.
    pub unit: &'static str,
    /// History that is kept; `None` keeps none.
    pub family: Option<Family>,
    /// Tab of clients.
    pub tab: Tab,
    /// Icon family for clients (`TypeImg`).
    pub icon: &'static str,
    /// Letters of the notifications that compare a figure of it (see [`crate::rule::Rule`]).
    pub rules: &'static str,
    /// Text before the first reading, of a device that a person makes.
    pub first: &'static str,
    /// The `TypeName`s of plugins that stand for it, with the switch type that each sets.
    pub type_names: &'static [(&'static str, Option<i64>)],
}

/// A number, or `_` for none.
macro_rules! number {
    (_) => {
        None
    };
    ($number:literal) => {
        Some($number)
    };
}

/// A family of histories, or `_` for none.
macro_rules! family {
    (_) => {
        None
    };
    ($family:ident) => {
        Some(Family::$family)
    };
}

macro_rules! kinds {
    ($($main:literal $sub:tt $name:literal $layout:ident$(($field:literal))? $unit:literal,
        $family:tt $tab:ident $icon:literal $rules:literal $first:literal
        [$($type_name:literal $switch:tt),*];)+) => {
        /// All rows. The first one that fits a device counts.
        pub const KINDS: &[Kind] = &[$(Kind {
            main: $main,
            sub: number!($sub),
            name: $name,
            layout: Layout::$layout$(($field))?,
            unit: $unit,
            family: family!($family),
            tab: Tab::$tab,
            icon: $icon,
            rules: $rules,
            first: $first,
            type_names: &[$(($type_name, number!($switch))),*],
        },)+];
    };
}

kinds! {
    // Main and sub type, name; layout and unit; history, tab, icon; notifications; first text; `TypeName`s.
    16 _ "Unknown" Switch "", Log Light "lightbulb" "" "" [];
    17 0 "AC" Switch "", Log Light "lightbulb" "" "" [];
    17 _ "Unknown" Switch "", Log Light "lightbulb" "" "" [];
    18 _ "Unknown" Switch "", Log Light "lightbulb" "" "" [];
    19 _ "Unknown" Switch "", Log Light "lightbulb" "" "" [];
    20 _ "Unknown" Switch "", Log Light "lightbulb" "" "" [];
    21 _ "Unknown" Switch "", Log Light "lightbulb" "" "" [];
    22 _ "Unknown" Switch "", Log Light "lightbulb" "" "" [];
    23 _ "Unknown" Switch "", Log Light "lightbulb" "" "" [];
    24 _ "Unknown" Switch "", Log Light "blinds" "" "" [];
    25 _ "Unknown" Switch "", Log Light "blinds" "" "" [];
    26 _ "RFY" Switch "", Log Light "blinds" "" "" [];
    27 _ "Unknown" Switch "", Log Light "lightbulb" "" "" [];
    32 131 "Security Panel" Switch "", Log Light "security" "" "" ["Security Panel" _];
    32 _ "Unknown" Switch "", Log Light "security" "" "" [];
    33 _ "Unknown" Switch "", Log Light "security" "" "" [];
    48 _ "Unknown" Switch "", Log Light "lightbulb" "" "" [];
    80 5 "LaCrosse TX3" Temperature " C", Temperature Temp "temperature" "T" "0.0" ["Temperature" _];
    80 _ "Unknown" Temperature " C", Temperature Temp "temperature" "T" "0.0" [];
    81 1 "LaCrosse TX3" Humidity " %", Temperature Temp "humidity" "H" "" ["Humidity" _];
    81 _ "Unknown" Humidity " %", Temperature Temp "humidity" "H" "" [];
    82 1 "THGN122/123/132, THGR122/228/238/268" TempHum "", Temperature Temp "temperature" "TH" "0.0;50;1" ["Temp+Hum" _];
    82 _ "Unknown" TempHum "", Temperature Temp "temperature" "TH" "0.0;50;1" [];
    84 1 "THB1 - BTHR918, BTHGN129" TempHumBaro "", Temperature Both "temperature" "THB" "0.0;50;1;1010;1" ["Temp+Hum+Baro" _];
    84 2 "THB2 - BTHR918N, BTHR968" TempHumBaro "", Temperature Both "temperature" "THB" "0.0;50;1;1010;1" [];
    84 16 "Weather Station" TempHumBaro "", Temperature Both "temperature" "THB" "0.0;50;1;1010;1" [];
    84 _ "Unknown" TempHumBaro "", Temperature Both "temperature" "THB" "0.0;50;1;1010;1" [];
    85 3 "TFA" Rain "", Rain Weather "rain" "" "0;0" ["Rain" _];
    85 _ "Unknown" Rain "", Rain Weather "rain" "" "0;0" [];
    86 1 "WTGR800" Wind "", Wind Weather "wind" "T" "0;N;0;0;0;0" ["Wind" _];
    86 4 "TFA" Wind "", Wind Both "wind" "T" "0;N;0;0;0;0" ["Wind+Temp+Chill" _];
    86 _ "Unknown" Wind "", Wind Weather "wind" "T" "0;N;0;0;0;0" [];
    87 1 "UVN128,UV138" Uv " UVI", Uv Weather "uv" "U" "0;0" ["UV" _];
    87 3 "TFA" Uv " UVI", Uv Both "uv" "U" "0;0" [];
    87 _ "Unknown" Uv " UVI", Uv Weather "uv" "U" "0;0" [];
    89 1 "CM113, Electrisave" Currents " A", Current Utility "current" "" "0.0;0.0;0.0" ["Current/Ampere" _];
    89 _ "Unknown" Currents " A", Current Utility "current" "" "0.0;0.0;0.0" [];
    93 1 "BWR102" Weight " kg", Level Utility "scale" "" "0" [];
    93 2 "GR101" Weight " kg", Level Utility "scale" "" "0" [];
    93 _ "Unknown" Weight " kg", Level Utility "scale" "" "0" [];
    113 0 "RFXMeter counter" Counter "", Counter Utility "counter" "" "0" [];
    113 _ "Unknown" Counter "", Counter Utility "counter" "" "0" [];
    241 1 "RGBW" Switch "", Log Light "lightbulb" "" "" ["WW" 7];
    241 2 "RGB" Switch "", Log Light "lightbulb" "" "" ["RGB" 7];
    241 3 "White" Switch "", Log Light "lightbulb" "" "" ["White" 7];
    241 4 "RGBWW" Switch "", Log Light "lightbulb" "" "" ["RGB_CW_WW" 7];
    241 5 "LivCol" Switch "", Log Light "lightbulb" "" "" ["LivCol" 7];
    241 6 "RGBWZ" Switch "", Log Light "lightbulb" "" "" ["RGB_W_Z" 7];
    241 7 "RGBWWZ" Switch "", Log Light "lightbulb" "" "" ["RGB_CW_WW_Z" 7];
    241 8 "WW" Switch "", Log Light "lightbulb" "" "" ["CW_WW" 7];
    241 _ "Unknown" Switch "", Log Light "lightbulb" "" "" [];
    242 _ "SetPoint" SetPoint "", Temperature Utility "override_mini" "N" "0.0" ["Set Point" _, "Setpoint" _, "Thermostat" _];
    243 1 "Visibility" Number("Visibility") " km", Level Weather "visibility" "" "0" ["Visibility" _];
    243 2 "Solar Radiation" Number("Radiation") " Watt/m2", Level Weather "radiation" "" "0" ["Solar Radiation" _];
    243 3 "Soil Moisture" Whole " cb", Level Utility "moisture" "" "0" ["Soil Moisture" _];
    243 4 "Leaf Wetness" Whole "", Level Utility "leaf" "" "0" ["Leaf Wetness" _];
    243 6 "Percentage" Number("") "%", Percentage Utility "Percentage" "P" "0" ["Percentage" _];
    243 7 "Fan" Number("") " RPM", Fan Utility "Fan" "" "0" ["Fan" _];
    243 8 "Voltage" Number("Voltage") " V", Level Utility "current" "" "0" ["Voltage" _];
    243 9 "Pressure" Number("Pressure") " Bar", Level Utility "gauge" "" "0" ["Pressure" _];
    243 19 "Text" Text "", Log Utility "text" "" "0" ["Text" _];
    243 22 "Alert" Alert "", Log Utility "Alert" "" "No Alert!" ["Alert" _];
    243 23 "Current" Number("Current") " A", Level Utility "current" "" "0" ["Current (Single)" _];
    243 24 "Sound Level" Number("") " dB", Level Utility "Speaker" "" "0" ["Sound Level" _];
    243 26 "Barometer" Baro " hPa", Temperature Weather "gauge" "B" "1021.34;0" ["Barometer" _];
    243 27 "Distance" Number("") " cm", Level Utility "visibility" "" "0" ["Distance" _];
    243 28 "Counter Incremental" Counter "", Counter Utility "counter" "" "0" ["Counter Incremental" _];
    243 29 "kWh" Energy " kWh", Counter Utility "current" "M" "0;0.0" ["kWh" _];
    243 30 "Waterflow" Number("") " l/min", Percentage Utility "moisture" "" "0" ["Waterflow" _];
    243 31 "Custom Sensor" Custom "", Percentage Utility "Custom" "" "0" ["Custom" _];
    243 33 "Managed Counter" Managed "", Counter Utility "counter" "" "0" [];
    243 _ "Unknown" Text "", _ Utility "hardware" "" "0" [];
    244 62 "Selector Switch" Switch "", Log Light "lightbulb" "" "" ["Selector Switch" 18];
    244 73 "Switch" Switch "", Log Light "lightbulb" "" "" [
        "Switch" _, "On/Off" 0, "Push On" 9, "Push Off" 10, "Contact" 2, "Dimmer" 7, "Motion" 8, "Blinds" 3,
        "BlindsPercentage" 13, "VenetianBlindsUS" 14, "VenetianBlindsEU" 15, "BlindsPercentageWithStop" 21,
        "BlindsWithStop" 22
    ];
    244 _ "Switch" Switch "", Log Light "lightbulb" "" "" [];
    246 _ "Lux" Number("") " Lux", Lux Utility "lux" "" "0" ["Illumination" _];
    247 1 "BMP085 I2C" TempBaro "", Temperature Both "temperature" "TB" "0.0;1010.0;1;0" [];
    247 _ "Unknown" TempBaro "", Temperature Both "temperature" "TB" "0.0;1010.0;1;0" [];
    248 _ "Electric" Number("") " Watt", Usage Utility "current" "M" "0" ["Usage" _];
    249 _ "Voltcraft CO-20" AirQuality " ppm", AirQuality Utility "air" "" "" ["Air Quality" _];
    250 _ "Energy" Meter "", Meter Utility "counter" "" "0;0;0;0;0;0" [];
    251 _ "Gas" Gas "", Counter Utility "counter" "" "0" ["Gas" _];
}

/// A type that the hub does not know: its text is shown, and nothing else follows.
pub const UNKNOWN: Kind = Kind {
    main: 0,
    sub: None,
    name: "Unknown",
    layout: Layout::Text,
    unit: "",
    family: None,
    tab: Tab::Utility,
    icon: "lightbulb",
    rules: "",
    first: "",
    type_names: &[],
};

/// The names of main types for clients.
const MAINS: &[(i64, &str)] = &[
    (16, "Lighting 1"),
    (17, "Lighting 2"),
    (18, "Lighting 3"),
    (19, "Lighting 4"),
    (20, "Lighting 5"),
    (21, "Lighting 6"),
    (22, "Chime"),
    (23, "Fan"),
    (24, "Curtain"),
    (25, "Blinds"),
    (26, "RFY"),
    (32, "Security"),
    (80, "Temp"),
    (81, "Humidity"),
    (82, "Temp + Humidity"),
    (84, "Temp + Humidity + Baro"),
    (85, "Rain"),
    (86, "Wind"),
    (87, "UV"),
    (89, "Current"),
    (93, "Weight"),
    (113, "RFXMeter"),
    (241, "Color Switch"),
    (242, "Setpoint"),
    (243, "General"),
    (244, "Light/Switch"),
    (246, "Lux"),
    (247, "Temp + Baro"),
    (248, "Usage"),
    (249, "Air Quality"),
    (250, "P1 Smart Meter"),
    (251, "P1 Smart Meter"),
];

/// The row of these type numbers.
#[must_use]
pub fn find(main: i64, sub: i64) -> &'static Kind {
    let fits = |kind: &&Kind| kind.main == main && kind.sub.is_none_or(|own| own == sub);
    KINDS.iter().find(fits).unwrap_or(&UNKNOWN)
}

/// The name of a main type for clients.
#[must_use]
pub fn main_name(main: i64) -> &'static str {
    let found = MAINS.iter().find(|(number, _)| *number == main);
    found.map_or("Unknown", |(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_hides_another_and_no_type_name_stands_twice() {
        for (at, kind) in KINDS.iter().enumerate() {
            let sub = kind.sub.unwrap_or(-1);
            let found = KINDS.iter().position(|row| row == find(kind.main, sub));
            assert_eq!(found, Some(at), "{} {sub}", kind.main);
        }
        let names = KINDS.iter().flat_map(|kind| kind.type_names);
        let mut names: Vec<_> = names.map(|(name, _)| name.to_lowercase()).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn what_the_hub_does_not_know_is_a_text_without_a_history() {
        assert_eq!(find(7, 7), &UNKNOWN);
        assert_eq!(find(243, 250).family, None);
        assert_eq!(main_name(7), "Unknown");
    }
}
