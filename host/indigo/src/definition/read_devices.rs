//! Reads `Devices.xml`.

use std::collections::BTreeSet;

use super::device::{DeviceClass, DeviceDefinitions, DeviceFactory, DeviceType, SubType};
use super::problem::Problem;
use super::read::{Ids, own_ui};
use super::state::{BoolType, StateDefinition, StateOption, ValueType};
use super::ui::{Context, flag, one_line};
use super::xml::Element;
use cordon_base::bounds::{DECLARED_OPTIONS, DECLARED_STATES};

pub(super) fn devices(
    context: &mut Context<'_>,
    root: &Element,
) -> Result<DeviceDefinitions, Problem> {
    context.expect_children(root, &["Device", "DeviceFactory", "SupportURL", "Template"]);
    let mut ids = Ids::default();
    let mut found = DeviceDefinitions {
        support_url: root.child_text("SupportURL"),
        ..DeviceDefinitions::default()
    };
    for child in &root.children {
        match child.name.as_str() {
            "Device" => {
                let read = device(context, child);
                let read = read.and_then(|it| ids.add(context, child, &it.id).map(|()| it));
                found.types.extend(context.part(read)?);
            }
            "DeviceFactory" if found.factory.is_some() => {
                let reason = "a second `<DeviceFactory>`; a plugin has one";
                let second = Err::<(), _>(context.problem(child, reason));
                context.part(second)?;
            }
            "DeviceFactory" => {
                let read = factory(context, child);
                found.factory = context.part(read)?;
            }
            _ => {}
        }
    }
    Ok(found)
}

fn device(context: &mut Context<'_>, element: &Element) -> Result<DeviceType, Problem> {
    let known = [
        "Name",
        "ConfigUI",
        "States",
        "UiDisplayStateId",
        "SupportURL",
    ];
    context.expect_children(element, &known);
    let id = context.required_id(element, "id")?;
    let class_name = context.required(element, "type")?;
    let class = DeviceClass::from_name(&class_name).ok_or_else(|| {
        let known: Vec<_> = DeviceClass::NAMES.iter().map(|(name, _)| *name).collect();
        let reason = format!(
            "device `{id}` has the unknown type `{class_name}`; expected one of {}",
            known.join(", ")
        );
        context.problem(element, reason)
    })?;
    let ui = element.attribute("ui").map(str::trim);
    let sub_type = element.attribute("subType").map(str::trim);
    let sub_type = sub_type.filter(|text| !text.is_empty());
    let may_create =
        element.attribute("allowUserCreation").is_none() || flag(element, "allowUserCreation");
    let display = context.method(element, "UiDisplayStateId")?;
    for text in [ui, sub_type].into_iter().flatten() {
        context.label(element, text)?;
    }
    Ok(DeviceType {
        class,
        sub_type: sub_type.map(|text| SubType::parse(text, ui)),
        user_may_create: may_create,
        name: context.required_child(element, "Name")?,
        config_ui: own_ui(context, element)?,
        states: states(context, element)?,
        display_state_id: display,
        line: element.line,
        id,
    })
}

fn factory(context: &mut Context<'_>, element: &Element) -> Result<DeviceFactory, Problem> {
    context.expect_children(element, &["Name", "ButtonTitle", "ConfigUI"]);
    let Some(config_ui) = own_ui(context, element)? else {
        return Err(context.problem(element, "`<DeviceFactory>` needs a `<ConfigUI>`"));
    };
    Ok(DeviceFactory {
        name: context.required_child(element, "Name")?,
        button_title: element.child_text("ButtonTitle").unwrap_or_default(),
        config_ui,
    })
}

fn states(context: &mut Context<'_>, device: &Element) -> Result<Vec<StateDefinition>, Problem> {
    let Some(states) = device.child("States") else {
        return Ok(Vec::new());
    };
    context.expect_children(states, &["State"]);
    let mut ids = BTreeSet::new();
    let mut found = Vec::new();
    for child in states.children.iter().filter(|child| child.name == "State") {
        if found.len() >= DECLARED_STATES {
            let reason = format!("more than {DECLARED_STATES} states");
            return Err(context.excess(child, reason));
        }
        let read = state(context, child);
        let Some(state) = context.part(read)? else {
            continue;
        };
        if state.value_type != ValueType::Separator && !ids.insert(state.id.clone()) {
            let reason = format!("a second state `{}` is ignored", state.id);
            context.remark(child, reason);
            continue;
        }
        found.push(state);
    }
    Ok(found)
}

fn state(context: &mut Context<'_>, element: &Element) -> Result<StateDefinition, Problem> {
    let known = [
        "ValueType",
        "TriggerLabel",
        "TriggerLabelPrefix",
        "ControlPageLabel",
        "ControlPageLabelPrefix",
    ];
    context.expect_children(element, &known);
    let id = context.required_id(element, "id")?;
    if id.contains('.') {
        let reason = format!("the state id `{id}` has a full stop, which is reserved");
        return Err(context.problem(element, reason));
    }
    let value_type = value_type(context, element, &id)?;
    let label = |name| {
        let child = element.child(name);
        let label = child.map(|child| one_line(&child.text)).unwrap_or_default();
        context.label(element, &label)?;
        Ok(label)
    };
    let default_value = element.attribute("defaultValue");
    context.label(element, default_value.unwrap_or_default())?;
    Ok(StateDefinition {
        value_type,
        trigger_label: label("TriggerLabel")?,
        trigger_label_prefix: label("TriggerLabelPrefix")?,
        control_page_label: label("ControlPageLabel")?,
        control_page_label_prefix: label("ControlPageLabelPrefix")?,
        read_only: flag(element, "readonly"),
        default_value: default_value.map(str::to_owned),
        line: element.line,
        id,
    })
}

fn value_type(context: &mut Context<'_>, state: &Element, id: &str) -> Result<ValueType, Problem> {
    let Some(element) = state.child("ValueType") else {
        let reason = format!("state `{id}` needs a `<ValueType>`");
        return Err(context.problem(state, reason));
    };
    if let Some(list) = element.child("List") {
        return enumeration(context, list);
    }
    let name = element.text.to_ascii_lowercase();
    match name.as_str() {
        "string" => Ok(ValueType::String),
        "number" => Ok(ValueType::Number),
        "integer" => Ok(ValueType::Integer),
        "float" | "real" => Ok(ValueType::Float),
        "separator" => Ok(ValueType::Separator),
        "boolean" => bool_type(context, element).map(ValueType::Boolean),
        _ => {
            let reason = format!(
                "state `{id}` has the unknown value type `{}`; expected String, Number, Integer, \
                 Float, Boolean, Separator or a `<List>`",
                element.text
            );
            Err(context.problem(element, reason))
        }
    }
}

fn bool_type(context: &Context<'_>, element: &Element) -> Result<BoolType, Problem> {
    let name = element
        .attribute("boolType")
        .map(str::trim)
        .unwrap_or_default();
    if name.is_empty() {
        return Ok(BoolType::default());
    }
    BoolType::from_name(name).ok_or_else(|| {
        let reason = format!("`boolType` is `{name}`; expected TrueFalse, OnOff, YesNo or OneZero");
        context.problem(element, reason)
    })
}

fn enumeration(context: &mut Context<'_>, list: &Element) -> Result<ValueType, Problem> {
    context.expect_children(list, &["Option"]);
    let mut options: Vec<StateOption> = Vec::new();
    let mut known = BTreeSet::new();
    for option in list.children.iter().filter(|child| child.name == "Option") {
        if options.len() >= DECLARED_OPTIONS {
            let reason = format!("more than {DECLARED_OPTIONS} options");
            return Err(context.excess(option, reason));
        }
        let label = one_line(&option.text);
        context.label(option, &label)?;
        let read = context.required_id(option, "value");
        let Some(value) = context.part(read)? else {
            continue;
        };
        if !known.insert(value.clone()) {
            let reason = format!("a second option `{value}` is ignored");
            context.remark(option, reason);
            continue;
        }
        options.push(StateOption { value, label });
    }
    Ok(ValueType::Enumeration(options))
}
