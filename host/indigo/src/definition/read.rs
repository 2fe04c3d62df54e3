//! Reads the definition files of a bundle.

use std::collections::{BTreeMap, BTreeSet};

use super::Definitions;
use super::action::{
    ActionDefinitions, ActionType, EventDefinitions, EventType, MenuDialog, MenuItem, PluginConfig,
};
use super::budget::Budget;
use super::field::ConfigUi;
use super::problem::Problem;
use super::read_devices::devices;
use super::source::{Source, Text};
use super::ui::{Context, flag, one_line};
use super::xml::{self, Element};
use cordon_base::bounds::DEFINITIONS;

/// Reads all files.
pub(super) fn definitions(source: &Source) -> Result<Definitions, Problem> {
    let (mut remarks, mut faults) = (Vec::new(), Vec::new());
    let budget = Budget::new();
    let file = |name: &str, root: &str| -> Result<_, Problem> {
        let Some(Text { bytes, twins }) = source.definition(name)? else {
            return Ok(None);
        };
        let mut context = Context {
            source,
            budget: &budget,
            file: source.shown(name),
            remarks: Vec::new(),
            faults: Vec::new(),
        };
        context.tell_twins(&source.shown(name), &twins);
        let root = parsed(&bytes, &budget, &source.shown(name), &[root])?;
        Ok(Some((context, root)))
    };
    let mut told = |mut context: Context<'_>| {
        remarks.append(&mut context.remarks);
        faults.append(&mut context.faults);
    };
    let mut all = Definitions::default();
    if let Some((mut context, root)) = file("Devices.xml", "Devices")? {
        all.devices = devices(&mut context, &root)?;
        told(context);
    }
    if let Some((mut context, root)) = file("Actions.xml", "Actions")? {
        all.actions = actions(&mut context, &root)?;
        told(context);
    }
    if let Some((mut context, root)) = file("Events.xml", "Events")? {
        all.events = events(&mut context, &root)?;
        told(context);
    }
    if let Some((mut context, root)) = file("MenuItems.xml", "MenuItems")? {
        all.menu = menu(&mut context, &root, &all.actions)?;
        told(context);
    }
    if let Some((mut context, root)) = file("PluginConfig.xml", "PluginConfig")? {
        all.config = Some(PluginConfig {
            url: root.child_text("URL"),
            config_ui: context.config_ui(&root)?,
        });
        told(context);
    }
    all.remarks = remarks;
    all.faults = faults;
    Ok(all)
}

/// Reads one dialog from text that a plugin made, and the parts that were left out.
pub(super) fn config_ui(
    text: &str,
    name: &str,
    source: &Source,
) -> Result<(ConfigUi, Vec<Problem>), Problem> {
    let budget = Budget::new();
    let mut context = Context {
        source,
        budget: &budget,
        file: name.to_owned(),
        remarks: Vec::new(),
        faults: Vec::new(),
    };
    let root = parsed(
        text.as_bytes(),
        &budget,
        name,
        &["ConfigUI", "PluginConfig"],
    )?;
    let ui = context.config_ui(&root)?;
    Ok((ui, context.faults))
}

fn parsed(
    bytes: &[u8],
    budget: &Budget,
    shown: &str,
    expected: &[&str],
) -> Result<Element, Problem> {
    let root =
        xml::parse(bytes, budget).map_err(|error| Problem::at(shown, error.line, error.reason))?;
    if expected.contains(&root.name.as_str()) {
        return Ok(root);
    }
    let reason = format!(
        "the root element is `<{}>`; expected `<{}>`",
        root.name,
        expected.join(">` or `<")
    );
    Err(Problem::at(shown, root.line, reason))
}

/// The ids of a file, which must differ and whose number is bounded.
#[derive(Default)]
pub(super) struct Ids(BTreeSet<String>);

impl Ids {
    pub(super) fn add(
        &mut self,
        context: &Context<'_>,
        element: &Element,
        id: &str,
    ) -> Result<(), Problem> {
        if self.0.len() >= DEFINITIONS {
            let reason = format!("more than {DEFINITIONS} `<{}>` elements", element.name);
            return Err(context.excess(element, reason));
        }
        if self.0.insert(id.to_owned()) {
            return Ok(());
        }
        let reason = format!(
            "two `<{}>` elements have the id `{id}`; each needs one of its own",
            element.name
        );
        Err(context.problem(element, reason))
    }
}

pub(super) fn own_ui(
    context: &mut Context<'_>,
    element: &Element,
) -> Result<Option<ConfigUi>, Problem> {
    let ui = element.child("ConfigUI");
    ui.map(|ui| context.config_ui(ui)).transpose()
}

/// The name of an action, event or menu item; empty where it has none.
fn name(context: &Context<'_>, of: &Element) -> Result<String, Problem> {
    let name = of.child("Name").map(|name| one_line(&name.text));
    let name = name.unwrap_or_default();
    context.label(of, &name)?;
    Ok(name)
}

fn actions(context: &mut Context<'_>, root: &Element) -> Result<ActionDefinitions, Problem> {
    context.expect_children(root, &["Action", "SupportURL"]);
    let mut ids = Ids::default();
    let mut found = ActionDefinitions {
        support_url: root.child_text("SupportURL"),
        types: Vec::new(),
    };
    for child in root.children.iter().filter(|child| child.name == "Action") {
        let read = action(context, child, &mut ids);
        found.types.extend(context.part(read)?);
    }
    Ok(found)
}

fn action(
    context: &mut Context<'_>,
    element: &Element,
    ids: &mut Ids,
) -> Result<ActionType, Problem> {
    let known = ["Name", "CallbackMethod", "ConfigUI", "SupportURL"];
    context.expect_children(element, &known);
    let id = context.required_id(element, "id")?;
    ids.add(context, element, &id)?;
    let name = name(context, element)?;
    // Five known plugins hide an action with an attribute of its own.
    let hidden = flag(element, "hidden").then(|| "hidden".to_owned());
    let ui_path = element
        .attribute("uiPath")
        .map(|path| path.trim().to_owned());
    context.label(element, ui_path.as_deref().unwrap_or_default())?;
    let filter = element
        .attribute("deviceFilter")
        .map(|it| it.trim().to_owned());
    let action = ActionType {
        name,
        callback: context.method(element, "CallbackMethod")?,
        device_filter: filter.filter(|filter| !filter.is_empty()),
        ui_path: hidden.or(ui_path).unwrap_or_default(),
        config_ui: own_ui(context, element)?,
        line: element.line,
        id,
    };
    if action.name.is_empty() && action.callback.is_some() {
        let reason = format!("action `{}` needs a `<Name>`", action.id);
        return Err(context.problem(element, reason));
    }
    Ok(action)
}

fn events(context: &mut Context<'_>, root: &Element) -> Result<EventDefinitions, Problem> {
    context.expect_children(root, &["Event", "SupportURL"]);
    let mut ids = Ids::default();
    let mut found = EventDefinitions {
        support_url: root.child_text("SupportURL"),
        types: Vec::new(),
    };
    for child in root.children.iter().filter(|child| child.name == "Event") {
        let read = event(context, child, &mut ids);
        found.types.extend(context.part(read)?);
    }
    Ok(found)
}

fn event(
    context: &mut Context<'_>,
    element: &Element,
    ids: &mut Ids,
) -> Result<EventType, Problem> {
    context.expect_children(element, &["Name", "ConfigUI", "SupportURL"]);
    let id = context.required_id(element, "id")?;
    ids.add(context, element, &id)?;
    Ok(EventType {
        name: name(context, element)?,
        config_ui: own_ui(context, element)?,
        line: element.line,
        id,
    })
}

fn menu(
    context: &mut Context<'_>,
    root: &Element,
    actions: &ActionDefinitions,
) -> Result<Vec<MenuItem>, Problem> {
    context.expect_children(root, &["MenuItem"]);
    let actions = actions.types.iter().filter(|it| !it.is_separator());
    let actions: Actions<'_> = actions.map(|it| (it.id.as_str(), it)).collect();
    let mut ids = Ids::default();
    let mut items: Vec<MenuItem> = Vec::new();
    for child in root
        .children
        .iter()
        .filter(|child| child.name == "MenuItem")
    {
        if items.len() >= DEFINITIONS {
            let reason = format!("more than {DEFINITIONS} menu items");
            return Err(context.excess(child, reason));
        }
        let read = menu_item(context, child, &actions);
        let read = read.and_then(|item| {
            if !item.separator {
                ids.add(context, child, &item.id)?;
            }
            Ok(item)
        });
        items.extend(context.part(read)?);
    }
    Ok(items)
}

/// The actions by their id.
type Actions<'a> = BTreeMap<&'a str, &'a ActionType>;

fn menu_item(
    context: &mut Context<'_>,
    element: &Element,
    actions: &Actions<'_>,
) -> Result<MenuItem, Problem> {
    let known = ["Name", "CallbackMethod", "ConfigUI", "ButtonTitle", "URL"];
    context.expect_children(element, &known);
    let kind = element.attribute("type").unwrap_or_default().trim();
    let name = name(context, element)?;
    let separator =
        kind.eq_ignore_ascii_case("separator") || (name.is_empty() && element.children.is_empty());
    let id = element
        .attribute("id")
        .unwrap_or_default()
        .trim()
        .to_owned();
    context.id(element, &id)?;
    if !separator {
        context.required(element, "id")?;
        context.required_child(element, "Name")?;
    }
    let mut callback = context.method(element, "CallbackMethod")?;
    let dialog = menu_dialog(context, element, actions)?;
    if let MenuDialog::Action(action) = &dialog
        && callback.is_none()
    {
        let action = actions.get(action.as_str());
        callback = action.and_then(|action| action.callback.clone());
    }
    let button_title = element.child_text("ButtonTitle");
    context.label(element, button_title.as_deref().unwrap_or_default())?;
    Ok(MenuItem {
        id,
        separator,
        name,
        callback,
        dialog,
        button_title: button_title.unwrap_or_else(|| "Execute".to_owned()),
        url: element.child_text("URL"),
        line: element.line,
    })
}

fn menu_dialog(
    context: &mut Context<'_>,
    element: &Element,
    actions: &Actions<'_>,
) -> Result<MenuDialog, Problem> {
    let Some(ui) = element.child("ConfigUI") else {
        return Ok(MenuDialog::None);
    };
    let action = ui.attribute("actionId").map(str::trim).unwrap_or_default();
    if action.is_empty() {
        return context.config_ui(ui).map(MenuDialog::Own);
    }
    context.id(ui, action)?;
    if !actions.contains_key(action) {
        let reason = format!("`actionId` names `{action}`, which `Actions.xml` does not define");
        return Err(context.problem(ui, reason));
    }
    Ok(MenuDialog::Action(action.to_owned()))
}
