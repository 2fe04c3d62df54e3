//! The methods of a plugin that its definitions name.

use super::{ConfigUi, Definitions, MenuDialog, Options};

/// A method that a definition names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// Its name.
    pub name: String,
    /// The file that names it, relative to `Contents`.
    pub file: String,
    /// Line of the element in that file, from 1.
    pub line: u32,
}

impl Definitions {
    /// Every method that a `<CallbackMethod>` or a list names, in the order of the files.
    #[must_use]
    pub fn methods(&self) -> Vec<Method> {
        let mut found = Vec::new();
        let mut add = |name: &Option<String>, file: &str, line: u32| {
            found.extend(name.iter().map(|name| Method {
                name: name.clone(),
                file: format!("Server Plugin/{file}"),
                line,
            }));
        };
        for action in &self.actions.types {
            add(&action.callback, "Actions.xml", action.line);
        }
        for item in &self.menu {
            add(&item.callback, "MenuItems.xml", item.line);
        }
        for dialog in self.dialogs() {
            for field in &dialog.fields {
                let asked = match &field.options {
                    Some(Options::Method { name, .. }) => Some(name),
                    _ => None,
                };
                found.extend(field.callback.iter().chain(asked).map(|name| Method {
                    name: name.clone(),
                    file: field.file.clone(),
                    line: field.line,
                }));
            }
        }
        found
    }

    fn dialogs(&self) -> impl Iterator<Item = &ConfigUi> {
        let devices = self.devices.types.iter();
        let devices = devices.filter_map(|it| it.config_ui.as_ref());
        let factory = self.devices.factory.iter().map(|it| &it.config_ui);
        let actions = self.actions.types.iter();
        let actions = actions.filter_map(|it| it.config_ui.as_ref());
        let events = self.events.types.iter();
        let events = events.filter_map(|it| it.config_ui.as_ref());
        let menu = self.menu.iter().filter_map(|it| match &it.dialog {
            MenuDialog::Own(dialog) => Some(dialog),
            MenuDialog::None | MenuDialog::Action(_) => None,
        });
        let config = self.config.iter().map(|it| &it.config_ui);
        devices
            .chain(factory)
            .chain(actions)
            .chain(events)
            .chain(menu)
            .chain(config)
    }
}
