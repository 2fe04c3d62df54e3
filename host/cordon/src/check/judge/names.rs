//! Findings about names: those that nothing defines, and those that are not quite the hub's.

use super::{Findings, is_left_alone};
use crate::check::facts::{Facts, Probe};
use crate::check::finding::{Topic, Verdict};
use cordon_domoticz::definition::PluginDefinition;
use cordon_domoticz::parameters::FIELDS;
use cordon_indigo::bundle::Bundle;
use cordon_indigo::definition::Method;
use cordon_packages::place::{Framework, Place};

/// The methods that the definitions of an Indigo plugin name; none where they cannot be read.
#[must_use]
pub fn methods(place: &Place) -> Vec<Method> {
    match place.framework {
        Framework::Indigo => {
            Bundle::open(&place.root).map_or_else(|_| Vec::new(), |it| it.definitions.methods())
        }
        Framework::Domoticz => Vec::new(),
    }
}

/// Judges the names in a Domoticz plugin's definition.
pub(super) fn definition(definition: &PluginDefinition, findings: &mut Findings) {
    let at = ("plugin.py", 0);
    if definition.key.is_empty() {
        let detail = "the definition has no `key`, by which a section names its plugin";
        findings.add(Topic::Definition, "key", Verdict::Fails, detail, at);
    }
    for param in &definition.params {
        let field = param.field.as_str();
        // Digits tell fields of one kind apart, and are no slip.
        let near = |known: &&str| !known.starts_with("Mode") && is_near(field, known);
        let case = |known: &&str| field != *known && field.eq_ignore_ascii_case(known);
        let known = || FIELDS.into_iter();
        let meant = known().find(case).or_else(|| known().find(near));
        if let Some(known) = meant.filter(|_| !FIELDS.contains(&field)) {
            let detail = format!("this field is nearly `{known}`, which it may mean");
            findings.add(Topic::Definition, field, Verdict::Note, &detail, at);
        }
    }
}

/// Judges the names in the sources, and those by which the definitions mean the sources.
pub(super) fn names(place: &Place, facts: &Facts, probe: Option<&Probe>, findings: &mut Findings) {
    let left_alone = |file: &str| probe.is_some_and(|probe| is_left_alone(file, probe));
    for near in &facts.near {
        let at = (near.file.as_str(), near.line);
        let detail = format!("nothing calls it; the callback is `{}`", near.right);
        let verdict = match near.sure && !left_alone(&near.file) {
            true => Verdict::Mistake,
            false => Verdict::Note,
        };
        findings.once(Topic::Callback, &near.name, verdict, &detail, at);
    }
    for name in &facts.undefined {
        let at = (name.file.as_str(), name.line);
        let detail = "nothing defines this name: NameError when the line runs";
        let verdict = match left_alone(&name.file) {
            true => Verdict::Note,
            false => Verdict::Mistake,
        };
        findings.once(Topic::Name, &name.name, verdict, detail, at);
    }
    let Some(probe) = probe else { return };
    for method in methods(place) {
        let absent = probe.methods.get(&method.name) == Some(&false);
        if absent && !facts.attributes.contains(&method.name) {
            let detail = format!(
                "{}, line {}: the class Plugin has no such method",
                method.file, method.line
            );
            findings.once(
                Topic::Callback,
                &method.name,
                Verdict::Mistake,
                &detail,
                ("", 0),
            );
        }
    }
}

/// Whether one letter makes the difference: another, or one too many.
fn is_near(left: &str, right: &str) -> bool {
    let (left, right) = (left.to_ascii_lowercase(), right.to_ascii_lowercase());
    let same = left.bytes().zip(right.bytes()).take_while(|(a, b)| a == b);
    let same = same.count();
    let rest = |text: &str, from: usize| {
        let from = same.saturating_add(from);
        text.as_bytes().get(from..).unwrap_or_default().to_vec()
    };
    rest(&left, 1) == rest(&right, 1)
        || rest(&left, 1) == rest(&right, 0)
        || rest(&left, 0) == rest(&right, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordon_domoticz::definition::Param;

    #[test]
    fn a_slip_of_one_letter_is_near() {
        for (left, right) in [("Adress", "Address"), ("Prot", "Port"), ("port", "Port")] {
            assert_eq!(is_near(left, right), left != "Prot", "{left}");
        }
        assert!(!is_near("ApiKey", "Port"));
        assert!(!is_near("", "Port"));
    }

    #[test]
    fn a_definition_without_a_key_and_fields_that_are_nearly_named_are_told_of() {
        let param = |field: &str| Param {
            field: field.to_owned(),
            ..Param::default()
        };
        let plugin = PluginDefinition {
            params: ["Adress", "password", "ApiKey", "Mode7", "Port"]
                .map(param)
                .to_vec(),
            ..PluginDefinition::default()
        };
        let mut findings = Findings::default();
        definition(&plugin, &mut findings);
        let told: Vec<_> = findings
            .all
            .iter()
            .map(|it| (it.subject.as_str(), it.verdict))
            .collect();
        let expected = [
            ("key", Verdict::Fails),
            ("Adress", Verdict::Note),
            ("password", Verdict::Note),
        ];
        assert_eq!(told, expected);
    }
}
