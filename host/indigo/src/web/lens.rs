//! Objects as clients see them: members of enumerations by their whole names, and what
//! was typed into masked fields only for those who could read it in the dialog.

use std::sync::Arc;

use serde_json::Value;

use crate::IndigoServer;
use crate::definition::ConfigUi;
use crate::object::Object;
use crate::table::Collection;
use crate::view::view;
use cordon_web::access::Rights;

/// Attributes whose values are members of an enumeration, with its name.
const ENUMERATIONS: [(&str, &str); 7] = [
    ("displayStateImageSel", "kStateImageSel"),
    ("protocol", "kProtocol"),
    ("hvacMode", "kHvacMode"),
    ("fanMode", "kFanMode"),
    ("stateChangeType", "kStateChange"),
    ("variableChangeType", "kVarChange"),
    ("commandSourceType", "kDeviceSourceType"),
];

/// How one client sees objects.
pub(super) struct Lens {
    server: Arc<IndigoServer>,
    /// Whether values of masked fields are shown.
    secrets: bool,
}

impl Lens {
    /// The lens for somebody with these rights.
    pub(super) fn new(server: &Arc<IndigoServer>, rights: Rights) -> Self {
        Self {
            server: Arc::clone(server),
            secrets: rights >= Rights::Admin,
        }
    }

    /// Whether clients see an object at all: not one whose dialog was never saved.
    pub(super) fn shows(object: &Object) -> bool {
        !object.hidden.draft
    }

    /// An object.
    pub(super) fn of(&self, object: &Object) -> Value {
        let mut seen = view(object, None);
        if let Some(attributes) = seen.as_object_mut() {
            for (attribute, enumeration) in ENUMERATIONS {
                if let Some(Value::String(member)) = attributes.get_mut(attribute)
                    && !member.is_empty()
                {
                    *member = format!("indigo.{enumeration}.{member}");
                }
            }
        }
        if !self.secrets {
            self.mask(object, &mut seen);
        }
        seen
    }

    /// Empties what was typed into masked fields of the object's own dialog.
    fn mask(&self, object: &Object, seen: &mut Value) {
        let owner = object.owner();
        let Some(plugin) = self.server.plugin(owner) else {
            return;
        };
        let all = &plugin.bundle.definitions;
        let kind = |key: &str| object.text(key);
        let ui: Option<&ConfigUi> = match object.table.collection {
            Collection::Devices => all
                .devices
                .find(kind("deviceTypeId"))
                .and_then(|it| it.config_ui.as_ref()),
            Collection::Triggers => all
                .events
                .find(kind("pluginTypeId"))
                .and_then(|it| it.config_ui.as_ref()),
            _ => None,
        };
        let fields = ui.map_or(&[][..], |ui| &ui.fields);
        for field in fields.iter().filter(|field| field.secure) {
            let id = field.id.as_str();
            for path in [
                &["pluginProps", id][..],
                &["ownerProps", id],
                &["globalProps", owner, id],
            ] {
                let mut place = Some(&mut *seen);
                for key in path {
                    place = place.and_then(|value| value.get_mut(*key));
                }
                if let Some(value) = place {
                    *value = "".into();
                }
            }
        }
    }
}
