//! The commands of the API, with their rights, parameters and answers.
//!
//! The table below is the only list: requests are looked up in it, and `docs/api.md` is
//! made of it. A command for a device goes to its plugin and changes nothing here
//! (spec 11); a change of a row is on disk before the answer and is then told to its
//! plugin.

mod color;
mod device;
mod edit;
mod events;
mod graph;
mod hardware;
mod house;
mod icons;
mod info;
mod log;
mod nothing;
mod notification;
mod points;
mod settings;
mod spans;
mod sun;
mod variable;
mod virtual_device;

pub(super) use graph::midnight;
pub(super) use icons::{refuses as refuses_icons, upload as upload_icons};
pub(super) use points::divider;

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::response::{IntoResponse, Response};

use super::answer::Answer;
use super::{HubApi, devices};
use crate::{DeliverError, DeviceError, HubEvent, Notice, Row};
use cordon_web::access::{Caller, Rights};
use cordon_web::budget::Share;
use cordon_web::origin::Act;
use cordon_web::query::Query;

/// One request that was admitted.
pub(super) struct Call<'a> {
    pub api: &'a HubApi,
    pub query: &'a Query,
    pub caller: &'a Caller,
    /// Address of the client.
    pub peer: IpAddr,
    /// Whether a plugin's inbox was full.
    pub busy: AtomicBool,
    /// Room for the answer.
    pub share: Share,
}

/// The text of an error is the `message` of the answer.
type Outcome = Result<Answer, String>;

/// A command as documented.
struct Command {
    name: &'static str,
    title: &'static str,
    rights: Rights,
    takes: &'static str,
    gives: &'static str,
}

macro_rules! commands {
    ($($name:literal $title:literal $rights:ident, $takes:literal, $gives:literal => $act:path;)+) => {
        /// All commands, in the order of the documentation.
        const COMMANDS: &[Command] = &[$(Command {
            name: $name,
            title: $title,
            rights: Rights::$rights,
            takes: $takes,
            gives: $gives,
        },)+];

        /// Carries out a command of the table.
        async fn act(call: &Call<'_>, name: &str) -> Option<Outcome> {
            match name {
                $($name => Some($act(call).await),)+
                _ => None,
            }
        }
    };
}

commands! {
    // The hub.
    "getversion" "GetVersion" Viewer, "", "`version`, `Revision`, `build_time`, `hash`, `python_version`, `HaveUpdate` false" => info::version;
    "getauth" "GetAuth" Viewer, "", "`user`, `rights` (0 viewer, 1 user, 2 admin), `version`" => info::auth;
    "logincheck" "logincheck" Viewer, "`username` (base64), `password` (MD5 or base64)", "`user`, `rights`, `version`" => info::login_check;
    "dologout" "Logout" Viewer, "", "nothing: there are no sessions" => nothing::done;
    "getuptime" "GetUptime" Viewer, "", "`days`, `hours`, `minutes`, `seconds` as numbers" => info::uptime;
    "getServerTime" "getServerTime" Viewer, "", "`ServerTime`" => info::server_time;
    "gettitle" "GetTitle" Viewer, "", "`Title`" => info::title;
    "getlanguage" "GetLanguage" Viewer, "", "`language`" => info::language;
    "getconfig" "GetConfig" Viewer, "", "units, place, `language`, tabs under `result` with the custom pages in `templates`" => info::config;
    "checkforupdate" "CheckForUpdate" Viewer, "", "`HaveUpdate` false" => info::no_update;
    "getSunRiseSet" "getSunRiseSet" Viewer, "", "`ServerTime`, `Sunrise`, `Sunset`, `SunAtSouth`, twilights, `DayLength`; ERR where the place is not set" => sun::rise_set;
    "getlog" "GetLog" Admin, "`lastlogtime`, `loglevel` (mask: 1 normal, 2 status, 4 error)", "`LastLogTime`, rows of `level`, `message`: the newest 1000, or of each writer as many as of the others" => log::get;
    "clearlog" "ClearLog" Admin, "", "nothing: the log drops its oldest lines by itself" => nothing::done;
    "addlogmessage" "AddLogMessage" User, "`message`, `level` (1, 2, 4)", "" => log::add;
    "getusers" "Users" Admin, "", "rows of `idx`, `Username`, `Rights`, `Enabled`; never a password" => info::users;
    // Devices.
    "getdevices" "Devices" Viewer, "`rid` (several joined by `,`), `filter` (all, light, weather, temp, utility), `used`, `order`, `plan`, `favorite`, `hwidx`, `displayhidden`, `lastupdate`", "`ActTime`, `ServerTime`, `app_version`, rows of devices" => devices::list;
    "getlightswitches" "GetLightSwitches" Viewer, "", "rows of `idx`, `Name`, `Type`, `SubType`, `IsDimmer`, `DimmerLevels`" => device::switches;
    "devices_list" "DevicesList" Viewer, "", "rows of `idx`, `name`, `name_type`" => device::names;
    "udevice" "Update Device" User, "`idx`, `nvalue`, `svalue`, `rssi`, `battery`", "nothing; the `svalue` of a set point is a command for its plugin" => device::update;
    "makefavorite" "MakeFavorite" User, "`idx`, `isfavorite` (0, 1)", "" => device::make_favorite;
    "renamedevice" "RenameDevice" Admin, "`idx`, `name`", "" => edit::rename;
    "deletedevice" "DeleteDevice" Admin, "`idx`; several joined by `;`", "" => edit::delete;
    "setused" "SetUsed" Admin, "`idx`, `used`, `name`, `description`, `switchtype`, `customimage`, `options` (base64 of `key:value;...`), `addjvalue`, `addjmulti`, `addjvalue2`, `addjmulti2`; `setpoint`, which a user may set", "" => edit::set_used;
    "setunused" "SetUnused" Admin, "`idx`; several joined by `;`", "" => edit::set_unused;
    "createdevice" "CreateSensor" Admin, "`idx` of the hardware, `sensorname`, `sensormappedtype` (`0xF31F`) or `devicetype` and `devicesubtype`, `switchtype`, `sensoroptions`", "`idx` of the device" => virtual_device::create;
    "createvirtualsensor" "CreateVirtualSensor" Admin, "as `createdevice`", "`idx` of the device" => virtual_device::create;
    // Switching.
    "switchlight" "SwitchLight" User, "`idx`, `switchcmd` (On, Off, Toggle, Set Level, Stop, ...), `level`, `color`", "" => device::switch;
    "setcolbrightnessvalue" "SetColBrightnessValue" User, "`idx`, `color` (JSON), or `hex`, or `hue` and `sat`, or `iswhite`; `brightness`", "" => color::set;
    "setkelvinlevel" "Set Kelvin Level" User, "`idx`, `kelvin` (0 cold to 100 warm)", "" => color::kelvin;
    "setsetpoint" "SetSetpoint" User, "`idx`, `setpoint`", "" => device::set_point;
    "getsecstatus" "GetSecStatus" Viewer, "", "`secstatus` (0 disarmed, 1 armed home, 2 armed away), `secondelay`" => house::security;
    "getSecStatus" "GetSecStatus" Viewer, "", "as `getsecstatus`" => house::security;
    "setsecstatus" "SetSecStatus" User, "`secstatus`, `seccode` (MD5 of the code)", "ERR with `message` WRONG CODE" => house::set_security;
    // History.
    "graph" "Graph" Viewer, "`sensor` (temp, rain, wind, uv, Percentage, fan, counter), `idx`, `range` (day, hour, week, month, year, compare, or two dates joined by `T`), `actmonth`, `actyear`; to compare also `groupby` (year, quarter, month) and `sensorarea` (usage, return)", "rows with `d` and the figures of the kind; `ValueQuantity`, `ValueUnits`; of `compare` rows of `y` year, `c` span within it, `s` figure, `t` (up, down, equal), and `firstYear`" => graph::get;
    "getlightlog" "GetLightLog" Viewer, "`idx`", "`HaveDimmer`, `HaveSelector`, rows of `idx`, `Date`, `Data`, `Status`, `Level`, `MaxDimLevel`, `User`" => log::switches;
    "gettextlog" "GetTextLog" Viewer, "`idx`", "rows of `idx`, `Date`, `Data`" => log::texts;
    "clearlightlog" "ClearLightLog" Admin, "`idx`", "" => log::clear_switches;
    "deletedatapoint" "DeleteDataPoint" Admin, "`idx`, `date`; or `fromdate` and `todate`", "" => graph::forget;
    // Hardware.
    "gethardware" "Hardware" Admin, "", "rows of `idx`, `Name`, `Enabled`, `Type`, `Extra`, `State`, `Detail`; parameters of what was added here, but no secrets; `problems`: `name`, `reason` of folders and sections that cannot be used" => hardware::list;
    "gethardwaretypes" "GetHardwareTypes" Admin, "", "rows with a plugin's definition: `idx` 94, `key`, `name`, `author`, `wikiURL`, `externalURL`, `description`, `parameters`; `problems` as in `gethardware`" => hardware::types;
    "addhardware" "AddHardware" Admin, "`htype` 94, `name`, `extra` (key of the plugin), `enabled`, `address`, `port`, `username`, `password`, `Mode1` to `Mode6`, `settings` (JSON of the own parameters), `loglevel`", "`idx`" => hardware::add;
    "updatehardware" "UpdateHardware" Admin, "`idx` and as `addhardware`; an empty secret stays", "" => hardware::update;
    "deletehardware" "DeleteHardware" Admin, "`idx`", "" => hardware::delete;
    // User variables.
    "getuservariables" "GetUserVariables" Viewer, "", "rows of `idx`, `Name`, `Type`, `Value`, `LastUpdate`, all texts" => variable::list;
    "getuservariable" "GetUserVariable" Viewer, "`idx`", "one row" => variable::get;
    "adduservariable" "AddUserVariable" User, "`vname`, `vtype` (0 integer, 1 float, 2 string, 3 date, 4 time), `vvalue`", "nothing; of 1,000 variables the last 200 are for admins" => variable::add;
    "updateuservariable" "UpdateUserVariable" User, "`idx` or `vname`, `vtype`, `vvalue`", "" => variable::update;
    "deleteuservariable" "DeleteUserVariable" Admin, "`idx`", "" => variable::delete;
    // Settings.
    "getsettings" "Settings" Admin, "", "a field per setting, numbers as numbers; `Location` as an object" => settings::get;
    "storesettings" "StoreSettings" Admin, "a field per setting", "" => settings::store;
    "savesettings" "StoreSettings" Admin, "as `storesettings`", "" => settings::store;
    // Notifications.
    "getnotifications" "GetNotifications" Viewer, "`idx` of a device", "rows of `idx`, `Params`, `CustomMessage`, `ActiveSystems`, `Priority`, `SendAlways`; `notifiers`" => notification::list;
    "getnotificationtypes" "GetNotificationTypes" Viewer, "`idx` of a device", "rows of `val`, `text`, `ptag`" => notification::types;
    "addnotification" "AddNotification" Admin, "`idx` of a device, `ttype`, `twhen`, `tvalue`, `tmsg`, `tsystems`, `tpriority`, `tsendalways`", "" => notification::add;
    "updatenotification" "UpdateNotification" Admin, "`idx` of the notification, `devidx`, and as `addnotification`", "" => notification::update;
    "deletenotification" "DeleteNotification" Admin, "`idx` of the notification", "" => notification::delete;
    "clearnotifications" "ClearNotification" Admin, "`idx` of a device", "" => notification::clear;
    "sendnotification" "SendNotification" User, "`subject`, `body`, `subsystem`, `priority`, `sound`", "" => notification::send;
    // Icons.
    "custom_light_icons" "CustomLightIcons" Viewer, "", "rows of `idx`, `imageSrc`, `text`, `description`" => icons::choices;
    "getcustomiconset" "GetCustomIconSet" Viewer, "", "rows of `idx`, `Title`, `Description`, `IconFile16`, `IconFile48On`, `IconFile48Off`" => icons::list;
    "updatecustomicon" "UpdateCustomIcon" Admin, "`idx`, `name`, `description`", "" => icons::describe;
    "deletecustomicon" "DeleteCustomIcon" Admin, "`idx`", "" => icons::delete;
    // Commands about features that this hub does not have.
    "getplans" "Plans" Viewer, "", "no rows: there are no plans" => nothing::done;
    "getplandevices" "GetPlanDevices" Viewer, "", "no rows" => nothing::done;
    "getfloorplans" "FloorPlans" Viewer, "", "no rows" => nothing::done;
    "getscenes" "Scenes" Viewer, "", "no rows; `ActTime`" => nothing::scenes;
    "getscenelog" "GetSceneLog" Viewer, "", "no rows" => nothing::done;
    "getcameras" "Cameras" Viewer, "", "no rows" => nothing::done;
    "getmobiles" "Mobiles" Viewer, "", "no rows" => nothing::done;
    "gettimers" "Timers" Viewer, "", "no rows" => nothing::done;
    "getscenetimers" "SceneTimers" Viewer, "", "no rows" => nothing::done;
    "getsetpointtimers" "SetpointTimers" Viewer, "", "no rows" => nothing::done;
    "getschedules" "getSchedules" Viewer, "", "no rows" => nothing::done;
    "events" "Events" Viewer, "`evparam`", "with `currentstates` rows of `id`, `name`, `value`, `svalues`, `lastupdate`; else no rows: there are no scripts" => events::get;
}

/// The older forms, `type=...`, by the command that each is now.
const OLDER: &[(&str, &str)] = &[
    ("cameras", "getcameras"),
    ("createdevice", "createdevice"),
    ("createvirtualsensor", "createvirtualsensor"),
    ("deletedevice", "deletedevice"),
    ("devices", "getdevices"),
    ("events", "events"),
    ("floorplans", "getfloorplans"),
    ("graph", "graph"),
    ("hardware", "gethardware"),
    ("lightlog", "getlightlog"),
    ("mobiles", "getmobiles"),
    ("notifications", "getnotifications"),
    ("plans", "getplans"),
    ("scenelog", "getscenelog"),
    ("scenes", "getscenes"),
    ("scenetimers", "getscenetimers"),
    ("schedules", "getschedules"),
    ("setpoint", "setsetpoint"),
    ("setpointtimers", "getsetpointtimers"),
    ("settings", "getsettings"),
    ("setused", "setused"),
    ("textlog", "gettextlog"),
    ("timers", "gettimers"),
    ("users", "getusers"),
];

/// The command that a request names.
fn named(query: &Query) -> Option<&'static Command> {
    let kind = query.text("type").unwrap_or("command");
    let name = match kind {
        "command" => query.text("param"),
        older => OLDER
            .iter()
            .find(|(form, _)| *form == older)
            .map(|(_, name)| *name),
    };
    name.and_then(|name| COMMANDS.iter().find(|command| command.name == name))
}

/// The act of a request. Commands that a viewer may use change nothing, nor do those whose names
/// begin with `get`.
pub(super) fn act_of(query: &Query) -> Act {
    match named(query) {
        Some(command) if command.rights > Rights::Viewer && !command.name.starts_with("get") => {
            Act::Change
        }
        _ => Act::Look,
    }
}

/// The rights that a request needs. The form of a device also has the older command for set points.
fn needed(command: &Command, query: &Query) -> Rights {
    match command.name {
        "setused" if query.text("setpoint").is_some() => Rights::User,
        _ => command.rights,
    }
}

/// Carries a request out. An unknown command is answered with ERR alone; a command that a plugin
/// has no room for, with 503.
pub(super) async fn run(call: &Call<'_>, gzip: bool) -> Response {
    let Some(command) = named(call.query) else {
        return Answer::unknown().into_response();
    };
    if call.caller.rights < needed(command, call.query) {
        let text = "this user has no right to do this";
        return Answer::error(command.title, text).into_response();
    }
    match act(call, command.name).await {
        None => Answer::unknown().into_response(),
        Some(Ok(answer)) => answer.respond(call.share.clone(), gzip).await,
        Some(Err(message)) => {
            let answer = Answer::error(command.title, message);
            match call.busy.load(Ordering::Relaxed) {
                true => answer.busy(),
                false => answer.into_response(),
            }
        }
    }
}

/// The names of all commands.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|command| command.name)
}

/// The tables of `docs/api.md`.
#[must_use]
pub fn markdown() -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let mut text = String::from("| `param=` | who | takes | gives |\n|---|---|---|---|\n");
    for command in COMMANDS {
        let who = match command.rights {
            Rights::Viewer => "viewer",
            Rights::User => "user",
            Rights::Admin => "admin",
        };
        let (name, takes, gives) = (command.name, cell(command.takes), cell(command.gives));
        text.push_str(&format!("| `{name}` | {who} | {takes} | {gives} |\n"));
    }
    text.push_str("\n| older form | command |\n|---|---|\n");
    for (form, name) in OLDER {
        text.push_str(&format!("| `type={form}` | `{name}` |\n"));
    }
    text
}

impl Call<'_> {
    fn idx(&self) -> Result<i64, String> {
        self.query.required("idx")
    }

    /// Several ids joined by semicolons.
    fn ids(&self) -> Result<Vec<i64>, String> {
        let parse = |text: &str| text.trim().parse();
        let ids: Result<Vec<i64>, _> = self.query.needed("idx")?.split(';').map(parse).collect();
        ids.map_err(|_| "parameter `idx` must be a number, or several joined by `;`".to_owned())
    }

    async fn device(&self) -> Result<Row, String> {
        self.api.devices.find(self.idx()?).await.map_err(explain)
    }

    fn deliver(&self, hardware: u32, event: HubEvent) -> Result<(), String> {
        let delivered = self.api.plugins.deliver(hardware, event);
        if delivered == Err(DeliverError::InboxFull) {
            self.busy.store(true, Ordering::Relaxed);
        }
        delivered.map_err(|error| format!("hardware {hardware}: {error}"))
    }

    /// Tells the plugins. The change is stored whether or not they can be told.
    async fn changed(&self, outcome: Result<Notice, DeviceError>) -> Result<(), String> {
        self.api.house.tell(outcome.map_err(explain)?).await;
        Ok(())
    }
}

fn explain(error: DeviceError) -> String {
    match error {
        DeviceError::Missing => "no device has this idx".to_owned(),
        other => other.to_string(),
    }
}

/// The text of an answer about a failure of the hub's own.
fn failed(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_is_the_table() {
        let documented = std::fs::read_to_string("../../docs/api.md").unwrap();
        assert!(
            documented.contains(&markdown()),
            "put this into docs/api.md:\n{}",
            markdown()
        );
    }

    #[test]
    fn every_older_form_is_a_command_and_no_name_is_there_twice() {
        for (_, name) in OLDER {
            assert!(
                COMMANDS.iter().any(|command| command.name == *name),
                "{name}"
            );
        }
        let mut names: Vec<_> = COMMANDS.iter().map(|command| command.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COMMANDS.len());
    }
}
