//! Reads dialogs from XML.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::budget::Budget;
use super::field::{
    Choice, ConfigUi, EnabledBinding, Field, FieldKind, Layout, ObjectClass, Options,
    VisibleBinding,
};
use super::problem::Problem;
use super::source::{Source, Text};
use super::xml::{self, Element};
use cordon_base::bounds::{BINDING_VALUES, FIELDS, ID_BYTES, LABEL_BYTES, OPTIONS, TEMPLATE_DEPTH};

/// Fewest rows of a list, and the number of rows when the definition names none.
const ROWS: u32 = 4;
/// Most rows of a list.
const MAX_ROWS: u32 = 200;

/// Reads one file's elements, and keeps the file's name for problems and remarks.
pub(super) struct Context<'a> {
    pub source: &'a Source,
    /// The budget of all files together.
    pub budget: &'a Budget,
    /// The file as problems show it.
    pub file: String,
    pub remarks: Vec<Problem>,
    /// Parts that were left out.
    pub faults: Vec<Problem>,
}

/// Most remarks of a file, and most parts that are told to be left out; more help nobody.
const MAX_REMARKS: usize = 50;

impl Context<'_> {
    pub(super) fn problem(&self, at: &Element, reason: impl Into<String>) -> Problem {
        Problem::at(self.file.clone(), at.line, reason)
    }

    /// A problem with the amount of something: the bundle is not used at all.
    pub(super) fn excess(&self, at: &Element, reason: impl Into<String>) -> Problem {
        self.problem(at, reason).of_whole()
    }

    /// A part that was read. One that could not be is left out, which is told, and keeps nothing
    /// else from being used.
    pub(super) fn part<T>(&mut self, read: Result<T, Problem>) -> Result<Option<T>, Problem> {
        match read {
            Ok(part) => Ok(Some(part)),
            Err(problem) => {
                let fault = problem.of_part()?;
                if self.faults.len() < MAX_REMARKS {
                    self.faults.push(fault);
                }
                Ok(None)
            }
        }
    }

    pub(super) fn remark(&mut self, at: &Element, reason: impl Into<String>) {
        if self.remarks.len() < MAX_REMARKS {
            let remark = self.problem(at, reason);
            self.remarks.push(remark);
        }
    }

    /// Adds remarks on children that nothing reads.
    pub(super) fn expect_children(&mut self, of: &Element, known: &[&str]) {
        for child in &of.children {
            if !known.contains(&child.name.as_str()) {
                let reason = format!(
                    "`<{}>` in `<{}>` is ignored; known there: {}",
                    child.name,
                    of.name,
                    known.join(", ")
                );
                self.remark(child, reason);
            }
        }
    }

    /// Checks an id or the name of a method. Both are put together with others, and into keys.
    pub(super) fn id(&self, at: &Element, id: &str) -> Result<(), Problem> {
        self.short(at, id, ID_BYTES)
    }

    /// Checks a name or label that people read in a line with others.
    pub(super) fn label(&self, at: &Element, label: &str) -> Result<(), Problem> {
        self.short(at, label, LABEL_BYTES)
    }

    fn short(&self, at: &Element, text: &str, most: usize) -> Result<(), Problem> {
        if text.len() <= most {
            return Ok(());
        }
        let reason = format!(
            "an id or text in `<{}>` has {} bytes; at most {most} are allowed",
            at.name,
            text.len()
        );
        Err(self.excess(at, reason))
    }

    /// The text of a child that names a method; `None` when it is missing or empty.
    pub(super) fn method(&self, of: &Element, name: &str) -> Result<Option<String>, Problem> {
        let found = of.child_text(name);
        self.id(of, found.as_deref().unwrap_or_default())?;
        Ok(found)
    }

    /// An id that has to be there.
    pub(super) fn required_id(&self, of: &Element, name: &str) -> Result<String, Problem> {
        let id = self.required(of, name)?;
        self.id(of, &id)?;
        Ok(id)
    }

    /// An attribute that has to be there and not be empty.
    pub(super) fn required(&self, of: &Element, name: &str) -> Result<String, Problem> {
        let value = of.attribute(name).map(str::trim).unwrap_or_default();
        if value.is_empty() {
            let reason = format!("`<{}>` needs the attribute `{name}`", of.name);
            return Err(self.problem(of, reason));
        }
        Ok(value.to_owned())
    }

    /// The text of a child that has to be there and not be empty.
    pub(super) fn required_child(&self, of: &Element, name: &str) -> Result<String, Problem> {
        let text = of.child(name).map(|child| one_line(&child.text));
        let text = text.filter(|text| !text.is_empty()).ok_or_else(|| {
            let id = of.attribute("id").unwrap_or_default();
            self.problem(
                of,
                format!("`<{}>` `{id}` needs a `<{name}>` with text", of.name),
            )
        })?;
        self.label(of, &text)?;
        Ok(text)
    }

    /// The dialog in a `ConfigUI` or `PluginConfig` element.
    pub(super) fn config_ui(&mut self, element: &Element) -> Result<ConfigUi, Problem> {
        self.budget
            .dialog(element.xml_bytes())
            .map_err(|reason| self.excess(element, reason))?;
        let mut dialog = Dialog {
            ui: ConfigUi {
                support_url: element.child_text("SupportURL"),
                fields: Vec::new(),
                raw_xml: element.to_xml(),
            },
            ids: BTreeSet::new(),
        };
        self.fields(element, &mut dialog, 0)?;
        Ok(dialog.ui)
    }

    fn fields(
        &mut self,
        parent: &Element,
        dialog: &mut Dialog,
        depth: usize,
    ) -> Result<(), Problem> {
        self.expect_children(parent, &["Field", "Template", "SupportURL", "URL"]);
        for child in &parent.children {
            match child.name.as_str() {
                "Field" => {
                    if dialog.ui.fields.len() >= FIELDS {
                        let reason = format!("the dialog has more than {FIELDS} fields");
                        return Err(self.excess(child, reason));
                    }
                    let field = self.field(child);
                    let added = field.and_then(|field| {
                        dialog
                            .add(field)
                            .map_err(|reason| self.problem(child, reason))
                    });
                    self.part(added)?;
                }
                "Template" => {
                    let read = self.template(child, dialog, depth);
                    self.part(read)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The fields of a template, in the place where it is named.
    fn template(
        &mut self,
        element: &Element,
        dialog: &mut Dialog,
        depth: usize,
    ) -> Result<(), Problem> {
        let file = self.required(element, "file")?;
        if depth >= TEMPLATE_DEPTH {
            let reason = format!("templates name each other more than {TEMPLATE_DEPTH} deep");
            return Err(self.excess(element, reason));
        }
        self.budget
            .template()
            .map_err(|reason| self.excess(element, reason))?;
        let found = self.source.template(&file).map_err(|problem| {
            self.excess(element, format!("template `{file}`: {}", problem.reason))
        })?;
        // A dialog without some of its fields is better than no plugin.
        let Some(Text { bytes, twins }) = found else {
            self.remark(
                element,
                format!("template `{file}` is missing; its fields are left out"),
            );
            return Ok(());
        };
        let shown = self.source.shown(&file);
        self.tell_twins(&shown, &twins);
        let root = xml::parse(&bytes, self.budget)
            .map_err(|error| Problem::at(shown.clone(), error.line, error.reason).of_whole())?;
        let outer = std::mem::replace(&mut self.file, shown);
        let read = self.fields(&root, dialog, depth.saturating_add(1));
        self.file = outer;
        read
    }

    /// Tells of files that have the same name in another case, of which one alone is read.
    pub(super) fn tell_twins(&mut self, read: &str, twins: &[String]) {
        self.faults.extend(Problem::of_twins(read, twins));
    }

    fn field(&mut self, element: &Element) -> Result<Field, Problem> {
        let id = self.required_id(element, "id")?;
        let kind = self.kind(element, &id)?;
        let known = [
            "Label",
            "Description",
            "Title",
            "CallbackMethod",
            "Action",
            "List",
            "Method",
        ];
        self.expect_children(element, &known);
        let text = |name| element.child(name).map(|child| one_line(&child.text));
        let options = match kind {
            FieldKind::Menu | FieldKind::List => Some(self.options(element, &id)?),
            _ => None,
        };
        let callback = self.method(element, "CallbackMethod")?;
        // The manual's first sample of a button writes `Action`.
        let callback = match callback {
            None => self.method(element, "Action")?,
            named => named,
        };
        Ok(Field {
            kind,
            default_value: element.attribute("defaultValue").map(str::to_owned),
            hidden: flag(element, "hidden"),
            read_only: flag(element, "readonly") || flag(element, "readOnly"),
            secure: flag(element, "secure"),
            tooltip: element.attribute("tooltip").unwrap_or_default().to_owned(),
            visible: self.visible(element)?,
            enabled: self.enabled(element)?,
            label: text("Label").unwrap_or_default(),
            description: text("Description").unwrap_or_default(),
            title: text("Title").unwrap_or_default(),
            callback,
            options,
            layout: self.layout(element, kind),
            file: self.file.clone(),
            line: element.line,
            id,
        })
    }

    fn kind(&self, element: &Element, id: &str) -> Result<FieldKind, Problem> {
        let name = self.required(element, "type")?;
        FieldKind::from_name(&name).ok_or_else(|| {
            let known: Vec<_> = FieldKind::NAMES.iter().map(|(name, _)| *name).collect();
            let reason = format!(
                "field `{id}` has the unknown type `{name}`; expected one of {}",
                known.join(", ")
            );
            self.problem(element, reason)
        })
    }

    fn options(&mut self, field: &Element, id: &str) -> Result<Options, Problem> {
        let Some(list) = field.child("List") else {
            let reason = format!("field `{id}` needs a `<List>` with its options");
            return Err(self.problem(field, reason));
        };
        // Some write these attributes at the field.
        let attribute = |name| list.attribute(name).or_else(|| field.attribute(name));
        let filter = attribute("filter").unwrap_or_default().trim().to_owned();
        let class = list.attribute("class").map(str::trim).unwrap_or_default();
        if class.is_empty() && list.attribute("method").is_none() {
            return self.fixed_options(list);
        }
        if let Some(class) = ObjectClass::from_name(class) {
            return Ok(Options::Objects { class, filter });
        }
        if !class.is_empty() && !class.eq_ignore_ascii_case("self") {
            let known: Vec<_> = ObjectClass::NAMES.iter().map(|(name, _)| *name).collect();
            let reason = format!(
                "field `{id}` has a list of the unknown class `{class}`; expected `self` or one of {}",
                known.join(", ")
            );
            return Err(self.problem(list, reason));
        }
        Ok(Options::Method {
            name: self.required_id(list, "method")?,
            filter,
            dynamic_reload: flag(list, "dynamicReload") || flag(field, "dynamicReload"),
        })
    }

    fn fixed_options(&mut self, list: &Element) -> Result<Options, Problem> {
        self.expect_children(list, &["Option"]);
        let mut choices = Vec::new();
        for option in list.children.iter().filter(|child| child.name == "Option") {
            if choices.len() >= OPTIONS {
                return Err(self.excess(option, format!("more than {OPTIONS} options")));
            }
            let value = option
                .attribute("value")
                .ok_or_else(|| self.problem(option, "`<Option>` needs the attribute `value`"));
            let Some(value) = self.part(value)? else {
                continue;
            };
            choices.push(Choice {
                value: value.to_owned(),
                label: one_line(&option.text),
            });
        }
        Ok(Options::Fixed(choices))
    }

    fn visible(&mut self, element: &Element) -> Result<Option<VisibleBinding>, Problem> {
        let Some(field) = self.bound_to(element, "visibleBindingId")? else {
            return Ok(None);
        };
        let Some(value) = element.attribute("visibleBindingValue") else {
            self.remark(
                element,
                "`visibleBindingId` without `visibleBindingValue` is ignored",
            );
            return Ok(None);
        };
        if value.split(',').count() > BINDING_VALUES {
            let reason = format!("`visibleBindingValue` has more than {BINDING_VALUES} values");
            return Err(self.excess(element, reason));
        }
        let value = value.to_owned();
        Ok(Some(VisibleBinding { field, value }))
    }

    fn enabled(&self, element: &Element) -> Result<Option<EnabledBinding>, Problem> {
        let field = self.bound_to(element, "enabledBindingId")?;
        Ok(field.map(|field| EnabledBinding {
            field,
            negate: flag(element, "enabledBindingNegate"),
        }))
    }

    /// The id of the field on which another one depends.
    fn bound_to(&self, element: &Element, name: &str) -> Result<Option<String>, Problem> {
        let field = element.attribute(name).unwrap_or_default().trim();
        self.id(element, field)?;
        Ok((!field.is_empty()).then(|| field.to_owned()))
    }

    fn layout(&self, element: &Element, kind: FieldKind) -> Layout {
        let lower = |name| {
            let value = element.attribute(name).unwrap_or_default();
            value.trim().to_ascii_lowercase()
        };
        let rows = element
            .attribute("rows")
            .and_then(|rows| rows.trim().parse().ok());
        let rows: u32 = match kind {
            FieldKind::List => rows.unwrap_or(ROWS).clamp(ROWS, MAX_ROWS),
            _ => 0,
        };
        Layout {
            font_color: lower("fontColor").replace("grey", "gray"),
            font_size: lower("fontSize"),
            align_text: lower("alignText"),
            align_with_control: flag(element, "alignWithControl"),
            always_in_height: flag(element, "alwaysUseInDialogHeightCalc"),
            rows,
        }
    }
}

struct Dialog {
    ui: ConfigUi,
    ids: BTreeSet<String>,
}

impl Dialog {
    fn add(&mut self, field: Field) -> Result<(), String> {
        if field.kind.has_value() && !self.ids.insert(field.id.clone()) {
            return Err(format!(
                "two fields of the dialog have the id `{}`; each needs one of its own",
                field.id
            ));
        }
        self.ui.fields.push(Arc::new(field));
        Ok(())
    }
}

/// `true`, `yes` or `1`, in any case; real files write all of them.
pub(super) fn flag(element: &Element, name: &str) -> bool {
    let value = element.attribute(name).unwrap_or_default().trim();
    ["true", "yes", "1"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
}

/// Text for people: line breaks of the file are no line breaks of the text.
pub(super) fn one_line(text: &str) -> String {
    if text.contains(['\n', '\r', '\t']) {
        let words: Vec<_> = text.split_ascii_whitespace().collect();
        return words.join(" ");
    }
    text.trim().to_owned()
}
