//! The collections of objects that the server keeps, and their folders.

use serde::{Deserialize, Serialize};

/// What kind of objects a collection has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Collection {
    /// `indigo.devices`.
    Devices,
    /// `indigo.variables`.
    Variables,
    /// `indigo.triggers`.
    Triggers,
    /// `indigo.schedules`.
    Schedules,
    /// `indigo.actionGroups`.
    ActionGroups,
    /// `indigo.controlPages`.
    ControlPages,
}

impl Collection {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Devices,
        Self::Variables,
        Self::Triggers,
        Self::Schedules,
        Self::ActionGroups,
        Self::ControlPages,
    ];

    /// Its name in the module `indigo`, such as `actionGroups`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Devices => "devices",
            Self::Variables => "variables",
            Self::Triggers => "triggers",
            Self::Schedules => "schedules",
            Self::ActionGroups => "actionGroups",
            Self::ControlPages => "controlPages",
        }
    }

    /// The name of its commands' namespace, such as `actionGroup`; also the stem of
    /// its callbacks, such as `actionGroupCreated`.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Devices => "device",
            Self::Variables => "variable",
            Self::Triggers => "trigger",
            Self::Schedules => "schedule",
            Self::ActionGroups => "actionGroup",
            Self::ControlPages => "controlPage",
        }
    }

    /// What the parameters of its callbacks are called: `dev`, `origDev`, `newDev`.
    #[must_use]
    pub fn parameters(self) -> [&'static str; 3] {
        match self {
            Self::Devices => ["dev", "origDev", "newDev"],
            Self::Variables => ["var", "origVar", "newVar"],
            Self::Triggers => ["trigger", "origTrigger", "newTrigger"],
            Self::Schedules => ["schedule", "origSchedule", "newSchedule"],
            Self::ActionGroups => ["group", "origGroup", "newGroup"],
            Self::ControlPages => ["page", "origPage", "newPage"],
        }
    }

    /// The collection with this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// The collection that the namespace of a command works on.
    #[must_use]
    pub fn of_noun(noun: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.noun() == noun)
    }

    /// Its objects.
    #[must_use]
    pub fn objects(self) -> Table {
        Table {
            collection: self,
            folders: false,
        }
    }

    /// Its folders.
    #[must_use]
    pub fn folders(self) -> Table {
        Table {
            collection: self,
            folders: true,
        }
    }
}

/// The objects of a collection, or its folders: names are unique in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Table {
    /// Which collection.
    pub collection: Collection,
    /// Whether its folders are meant.
    pub folders: bool,
}

impl Table {
    /// One of them in words, such as `device` or `folder of variables`.
    #[must_use]
    pub fn words(self) -> String {
        if self.folders {
            return format!("folder of {}", self.collection.name());
        }
        match self.collection {
            Collection::ActionGroups => "action group".to_owned(),
            Collection::ControlPages => "control page".to_owned(),
            other => other.noun().to_owned(),
        }
    }
}
