//! Tests of the XML definitions: vocabulary, errors with their places, bounds.

mod bounds;
mod broken;

use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use cordon_base::account::thread_cpu;
use cordon_base::bounds::{
    BINDING_VALUES, DECLARED_OPTIONS, DECLARED_STATES, ID_BYTES, LABEL_BYTES, OPTIONS, TEMPLATES,
    TEXT_BYTES, XML_ALL_NODES, XML_BYTES, XML_DEPTH, XML_ELEMENTS,
};

/// A bundle's `Contents` with these files in `Server Plugin`.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let contents = tempfile::tempdir().unwrap();
    let plugin = contents.path().join("Server Plugin");
    fs::create_dir(&plugin).unwrap();
    for (name, text) in files {
        let path = plugin.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    contents
}

fn load(files: &[(&str, &str)]) -> Result<Definitions, Problem> {
    let contents = folder(files);
    Definitions::load(contents.path(), &contents.path().join("Server Plugin"))
}

fn refusal(file: &str, text: &str) -> String {
    load(&[(file, text)]).unwrap_err().to_string()
}

/// The fields of a preferences dialog.
fn fields(xml: &str) -> Vec<Field> {
    let text = format!("<PluginConfig>{xml}</PluginConfig>");
    let all = load(&[("PluginConfig.xml", &text)]).unwrap();
    let fields = all.config.unwrap().config_ui.fields;
    fields.iter().map(|field| Field::clone(field)).collect()
}

fn field(xml: &str) -> Field {
    fields(xml).remove(0)
}

#[test]
fn no_files_define_nothing() {
    assert_eq!(load(&[]).unwrap(), Definitions::default());
}

#[test]
fn a_device_type_is_read_whole() {
    let xml = r#"<?xml version="1.0"?>
<!DOCTYPE Devices>
<Devices>
  <SupportURL>https://example.com/help</SupportURL>
  <!-- a comment with <tags> & ampersands -->
  <Device type="Sensor" id="temp" subType="indigo.kSensorDeviceSubType.Temperature, ui=Outdoor"
          allowUserCreation="false">
    <Name>Temperature &amp; more &#x2603;</Name>
    <ConfigUI>
      <Field id="address" type="textField" defaultValue="123"><Label>Address:</Label></Field>
    </ConfigUI>
    <States>
      <State id="value" defaultValue="1">
        <ValueType>float</ValueType>
        <TriggerLabel>Value</TriggerLabel>
        <ControlPageLabel>Value now</ControlPageLabel>
      </State>
    </States>
    <UiDisplayStateId>value</UiDisplayStateId>
  </Device>
</Devices>"#;
    let all = load(&[("Devices.xml", xml)]).unwrap();
    let devices = all.devices;
    assert_eq!(
        devices.support_url.as_deref(),
        Some("https://example.com/help")
    );
    let device = devices.find("temp").unwrap();
    assert_eq!(device.class, DeviceClass::Sensor);
    assert_eq!(device.name, "Temperature & more \u{2603}");
    assert!(!device.user_may_create);
    assert_eq!(device.line, 6);
    assert_eq!(device.display_state_id.as_deref(), Some("value"));
    let sub_type = device.sub_type.as_ref().unwrap();
    assert_eq!(sub_type.enumeration, "kSensorDeviceSubType");
    assert_eq!(sub_type.member, "Temperature");
    assert_eq!(sub_type.ui.as_deref(), Some("Outdoor"));
    let state = &device.states[0];
    assert_eq!(state.value_type, ValueType::Float);
    assert_eq!(state.control_page_label, "Value now");
    assert_eq!(state.default_value.as_deref(), Some("1"));
    let ui = device.config_ui.as_ref().unwrap();
    assert_eq!(ui.field("address").unwrap().kind, FieldKind::TextField);
    assert!(all.remarks.is_empty(), "{:?}", all.remarks);
}

#[test]
fn every_device_class_has_its_python_class() {
    for (name, class) in DeviceClass::NAMES {
        let xml =
            format!("<Devices><Device type='{name}' id='a'><Name>N</Name></Device></Devices>");
        let all = load(&[("Devices.xml", &xml)]).unwrap();
        assert_eq!(all.devices.types[0].class, class);
        assert!(class.python_class().starts_with("indigo."));
    }
}

#[test]
fn sub_types_come_in_four_spellings() {
    let member = |text: &str, ui| SubType::parse(text, ui);
    assert_eq!(member("kRelayDeviceSubType.PlugIn", None).member, "PlugIn");
    assert_eq!(
        member("indigo.kRelayDeviceSubType.Lock", None).enumeration,
        "kRelayDeviceSubType"
    );
    assert_eq!(member("ui text", None).member, "ui text");
    assert_eq!(
        member("kDimmerDeviceSubType.Fan", Some("Ceiling"))
            .ui
            .as_deref(),
        Some("Ceiling")
    );
}

#[test]
fn every_value_type_has_its_conditions() {
    let states = |value: &str| {
        let xml = format!(
            "<Devices><Device type='custom' id='d'><Name>N</Name><States><State id='s'>{value}\
             <TriggerLabel>S</TriggerLabel></State></States></Device></Devices>"
        );
        let all = load(&[("Devices.xml", &xml)]).unwrap();
        all.devices.types[0].states[0].clone()
    };
    let cases = [
        ("String", ValueType::String, 3),
        ("Number", ValueType::Number, 5),
        ("integer", ValueType::Integer, 5),
        ("Float", ValueType::Float, 5),
        ("Boolean", ValueType::Boolean(BoolType::TrueFalse), 3),
        ("Separator", ValueType::Separator, 0),
    ];
    for (name, expected, conditions) in cases {
        let state = states(&format!("<ValueType>{name}</ValueType>"));
        assert_eq!(state.value_type, expected);
        assert_eq!(state.trigger_choices().len(), 1);
        assert_eq!(
            state.trigger_choices()[0].conditions.len(),
            conditions,
            "{name}"
        );
        assert!(state.derived().is_empty());
    }
    for (name, kind) in BoolType::NAMES {
        let state = states(&format!("<ValueType boolType='{name}'>boolean</ValueType>"));
        assert_eq!(state.value_type, ValueType::Boolean(kind));
    }
    assert_eq!(BoolType::OneZero.text(true), "1");
}

#[test]
fn an_enumeration_brings_a_boolean_for_each_option() {
    let xml = "<Devices><Device type='custom' id='d'><Name>N</Name><States><State id='mode'>\
        <ValueType><List><Option value='off'>Off</Option><Option value='heat'>Heat On</Option>\
        <Option value='off'>again</Option></List></ValueType>\
        <TriggerLabel>Mode Changed</TriggerLabel><TriggerLabelPrefix>Mode to</TriggerLabelPrefix>\
        <ControlPageLabel>Mode</ControlPageLabel></State></States></Device></Devices>";
    let all = load(&[("Devices.xml", xml)]).unwrap();
    let state = &all.devices.types[0].states[0];
    let derived = state.derived();
    assert_eq!(derived.len(), 2);
    assert_eq!(derived[1].key, "mode.heat");
    assert_eq!(derived[1].trigger_label, "Mode to Heat On");
    assert_eq!(derived[1].control_page_label, "Mode Heat On");
    let choices = state.trigger_choices();
    assert_eq!(choices[0].conditions, [Condition::Changes]);
    assert_eq!(choices[2].key, "mode.heat");
    assert_eq!(
        choices[2].conditions,
        [
            Condition::BecomesTrue,
            Condition::BecomesFalse,
            Condition::Changes
        ]
    );
    assert!(all.remarks[0].to_string().contains("second option `off`"));
}

#[test]
fn the_factory_is_read_and_may_not_come_twice() {
    let factory = "<DeviceFactory><Name>Group...</Name><ButtonTitle>Close</ButtonTitle>\
        <ConfigUI><Field id='b' type='button'><Title>Add</Title>\
        <CallbackMethod>add</CallbackMethod></Field></ConfigUI></DeviceFactory>";
    let all = load(&[("Devices.xml", &format!("<Devices>{factory}</Devices>"))]).unwrap();
    let found = all.devices.factory.unwrap();
    assert_eq!(
        (found.name.as_str(), found.button_title.as_str()),
        ("Group...", "Close")
    );
    assert_eq!(found.config_ui.fields[0].callback.as_deref(), Some("add"));
    let twice = format!("<Devices>\n{factory}\n{factory}</Devices>");
    let all = load(&[("Devices.xml", &twice)]).unwrap();
    let told = all.faults[0].to_string();
    assert!(
        told.contains("Devices.xml, line 3: a second `<DeviceFactory>`"),
        "{told}"
    );
}

#[test]
fn every_field_type_is_known_in_any_case() {
    for (name, kind) in FieldKind::NAMES {
        let list = if matches!(kind, FieldKind::Menu | FieldKind::List) {
            "<List><Option value='a'>A</Option></List>"
        } else {
            ""
        };
        let xml = format!(
            "<Field id='f' type='{}'>{list}</Field>",
            name.to_uppercase()
        );
        assert_eq!(field(&xml).kind, kind);
        assert_eq!(kind.name(), name);
    }
}

#[test]
fn a_field_is_read_whole() {
    let found = field(
        "<Field id='f' type='list' defaultValue='a,b' default='x' hidden='YES' readonly='True' \
         secure='true' tooltip='help' visibleBindingId='v' visibleBindingValue='1, 2' \
         enabledBindingId='e' enabledBindingNegate='true' alwaysUseInDialogHeightCalc='true' \
         fontColor='darkGrey' fontSize='Mini' alignText='center' alignWithControl='true' \
         rows='2'><Label>Two\n   lines</Label><Description>d</Description>\
         <List><Option value='a'>A &lt;1&gt;</Option><Option value=''/></List>\
         <CallbackMethod>changed</CallbackMethod></Field>",
    );
    assert_eq!(found.default_value.as_deref(), Some("a,b"));
    assert!(found.hidden && found.read_only && found.secure);
    assert_eq!(found.tooltip, "help");
    assert_eq!(found.label, "Two lines");
    assert_eq!(found.callback.as_deref(), Some("changed"));
    let visible = found.visible.unwrap();
    assert_eq!(
        (visible.field.as_str(), visible.value.as_str()),
        ("v", "1, 2")
    );
    let enabled = found.enabled.unwrap();
    assert!(enabled.field == "e" && enabled.negate);
    let layout = found.layout;
    assert_eq!(layout.font_color, "darkgray");
    assert_eq!(
        (layout.font_size.as_str(), layout.align_text.as_str()),
        ("mini", "center")
    );
    assert!(layout.align_with_control && layout.always_in_height);
    assert_eq!(layout.rows, 4);
    let Some(Options::Fixed(choices)) = found.options else {
        panic!("no options");
    };
    assert_eq!(choices[0].label, "A <1>");
    assert_eq!(
        (choices[1].value.as_str(), choices[1].label.as_str()),
        ("", "")
    );
}

#[test]
fn lists_come_from_the_server_or_the_plugin() {
    let options = |list: &str| {
        field(&format!("<Field id='f' type='menu'>{list}</Field>"))
            .options
            .unwrap()
    };
    for (name, class) in ObjectClass::NAMES {
        let found = options(&format!("<List class='{name}' filter='self'/>"));
        let filter = "self".to_owned();
        assert_eq!(found, Options::Objects { class, filter });
        assert_eq!(class.name(), name);
    }
    assert_eq!(
        options("<List class='self' method='m' filter='x' dynamicReload='yes'/>"),
        Options::Method {
            name: "m".to_owned(),
            filter: "x".to_owned(),
            dynamic_reload: true
        }
    );
    let at_field = field(
        "<Field id='f' type='menu' dynamicReload='true' filter='y'><List class='self' method='m'/></Field>",
    );
    let expected = Options::Method {
        name: "m".to_owned(),
        filter: "y".to_owned(),
        dynamic_reload: true,
    };
    assert_eq!(at_field.options, Some(expected));
}

#[test]
fn templates_put_their_fields_in_place() {
    let contents = folder(&[
        (
            "PluginConfig.xml",
            "<PluginConfig><Field id='a' type='label'/><Template file='Templates/t.xml'/>\
             <Field id='z' type='label'/></PluginConfig>",
        ),
        (
            "Templates/t.xml",
            "<Template>\n<Field id='b' type='textfield'/><Template file='u.xml'/></Template>",
        ),
        (
            "u.xml",
            "<Template><Field id='c' type='textfield'/></Template>",
        ),
    ]);
    let plugin = contents.path().join("Server Plugin");
    let all = Definitions::load(contents.path(), &plugin).unwrap();
    let fields = all.config.unwrap().config_ui.fields;
    let ids: Vec<_> = fields.iter().map(|field| field.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c", "z"]);
    assert_eq!(fields[1].file, "Server Plugin/Templates/t.xml");
    assert_eq!(fields[1].line, 2);
}

#[test]
fn templates_stay_in_the_bundle_and_end() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("t.xml"), "<Template/>").unwrap();
    let named = |file: &str| {
        let text = format!("<PluginConfig>\n<Template file='{file}'/></PluginConfig>");
        let contents = folder(&[("PluginConfig.xml", &text), ("t.xml", &text)]);
        let plugin = contents.path().join("Server Plugin");
        std::os::unix::fs::symlink(outside.path(), plugin.join("link")).unwrap();
        let found = Definitions::load(contents.path(), &plugin);
        found.unwrap_err().to_string()
    };
    let absolute = outside.path().join("t.xml");
    let refused = named(&absolute.to_string_lossy());
    assert!(
        refused.contains("line 2") && refused.contains("relative to"),
        "{refused}"
    );
    assert!(named("link/t.xml").contains("outside of the bundle"));
    assert!(named("../../../../../../../../etc/passwd").contains("outside of the bundle"));
    assert!(named("t.xml").contains("more than 8 deep"));
    assert!(named("/dev/zero").contains("relative to"));
}

#[test]
fn a_missing_template_leaves_its_fields_out() {
    let text =
        "<PluginConfig><Field id='a' type='label'/><Template file='none.xml'/></PluginConfig>";
    let all = load(&[("PluginConfig.xml", text)]).unwrap();
    assert_eq!(all.config.unwrap().config_ui.fields.len(), 1);
    let remark = all.remarks[0].to_string();
    assert!(
        remark.contains("line 1: template `none.xml` is missing"),
        "{remark}"
    );
}

#[test]
fn actions_with_their_separators_and_hiding_places() {
    let xml = "<Actions><SupportURL>u</SupportURL><Action id='sep'/>\
        <Action id='a' deviceFilter='self.x' uiPath='DeviceActions'><Name>A</Name>\
        <CallbackMethod>do_a</CallbackMethod></Action>\
        <Action id='h' uiPath='hidden'><Name>H</Name><CallbackMethod>h</CallbackMethod></Action>\
        <Action id='i' hidden='true' uiPath='Volume'><Name>I</Name><CallbackMethod>i</CallbackMethod>\
        </Action><Action id='t'><Name>only text</Name></Action></Actions>";
    let actions = load(&[("Actions.xml", xml)]).unwrap().actions;
    assert!(actions.types[0].is_separator() && actions.find("sep").is_none());
    let found = actions.find("a").unwrap();
    assert_eq!(found.device_filter.as_deref(), Some("self.x"));
    assert_eq!(found.callback.as_deref(), Some("do_a"));
    assert!(!found.is_hidden());
    assert!(actions.find("h").unwrap().is_hidden());
    assert!(actions.find("i").unwrap().is_hidden());
    assert_eq!(actions.find("t").unwrap().callback, None);
}

#[test]
fn events_and_menu_items() {
    let events =
        "<Events><Event id='e'><Name>E</Name><ConfigUI/></Event><Event id='sep'/></Events>";
    let actions = "<Actions><Action id='x'><Name>X</Name><CallbackMethod>run</CallbackMethod>\
        <ConfigUI><Field id='f' type='label'/></ConfigUI></Action></Actions>";
    let menu = "<MenuItems><MenuItem id='m'><Name>M</Name><CallbackMethod>m</CallbackMethod></MenuItem>\
        <MenuItem type='separator'/><MenuItem id='s'/>\
        <MenuItem id='b'><Name>B</Name><ConfigUI actionId='x'/></MenuItem>\
        <MenuItem id='u'><Name>U</Name><URL>/message/x</URL></MenuItem>\
        <MenuItem id='o'><Name>O</Name><ButtonTitle>Go</ButtonTitle><ConfigUI/></MenuItem></MenuItems>";
    let all = load(&[
        ("Events.xml", events),
        ("Actions.xml", actions),
        ("MenuItems.xml", menu),
    ])
    .unwrap();
    assert!(all.events.find("e").unwrap().config_ui.is_some());
    assert!(all.events.find("sep").is_none());
    assert!(all.menu[1].separator && all.menu[2].separator);
    let borrowed = all.menu_item("b").unwrap();
    assert_eq!(borrowed.dialog, MenuDialog::Action("x".to_owned()));
    assert_eq!(borrowed.callback.as_deref(), Some("run"));
    assert_eq!(borrowed.button_title, "Execute");
    assert_eq!(
        all.menu_item("u").unwrap().url.as_deref(),
        Some("/message/x")
    );
    assert_eq!(all.menu_item("o").unwrap().button_title, "Go");
    assert_eq!(all.menu_item("m").unwrap().dialog, MenuDialog::None);
}

#[test]
fn a_dialog_made_by_a_plugin_is_read_and_written_the_same() {
    let contents = folder(&[]);
    let source = Source::new(contents.path(), &contents.path().join("Server Plugin"));
    let text = "<ConfigUI><Field id=\"a\" type=\"label\"><Label>x &lt; &quot;y&quot;</Label></Field></ConfigUI>";
    let ui = ConfigUi::from_xml(text, "getDeviceConfigUiXml", &source)
        .unwrap()
        .0;
    assert_eq!(ui.fields[0].label, "x < \"y\"");
    assert_eq!(ui.raw_xml, text);
    let again = ConfigUi::from_xml(&ui.raw_xml, "getDeviceConfigUiXml", &source)
        .unwrap()
        .0;
    assert_eq!(again, ui);
    let problem = ConfigUi::from_xml("<X/>", "getDeviceConfigUiXml", &source).unwrap_err();
    assert!(
        problem.to_string().contains("getDeviceConfigUiXml, line 1"),
        "{problem}"
    );
}

/// Pieces of XML that make nearly valid documents.
fn soup() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("<Devices>"),
        Just("</Devices>"),
        Just("<Device type='custom' id='a'>"),
        Just("</Device>"),
        Just("<Name>N</Name>"),
        Just("<States>"),
        Just("</States>"),
        Just("<State id='s'>"),
        Just("</State>"),
        Just("<ValueType>"),
        Just("</ValueType>"),
        Just("<List>"),
        Just("</List>"),
        Just("<Option value='v'>"),
        Just("</Option>"),
        Just("<ConfigUI>"),
        Just("</ConfigUI>"),
        Just("<Field id='f' type='list'>"),
        Just("</Field>"),
        Just("<Template file='Devices.xml'/>"),
        Just("&lt;"),
        Just("&#0;"),
        Just("&#xD800;"),
        Just("&"),
        Just("<![CDATA[x]]>"),
        Just("<!--"),
        Just("-->"),
        Just("<?pi?>"),
        Just("\n"),
        Just("="),
        Just("\u{1f600}"),
        Just("String"),
        Just("<!DOCTYPE x [<!ENTITY e 'e'>]>"),
    ];
    proptest::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_document_is_read_or_named_with_its_fault(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in soup()) {
        let contents = folder(&[("Devices.xml", &text)]);
        let plugin = contents.path().join("Server Plugin");
        fs::write(plugin.join("Events.xml"), &bytes).unwrap();
        let faults = match Definitions::load(contents.path(), &plugin) {
            Ok(read) => [read.remarks, read.faults].concat(),
            Err(problem) => vec![problem],
        };
        for fault in faults {
            let fault = fault.to_string();
            prop_assert!(fault.contains(".xml"), "{}", fault);
        }
        let source = Source::new(contents.path(), &plugin);
        match ConfigUi::from_xml(&text, "made", &source) {
            Ok((ui, _)) => {
                let roots = ["<ConfigUI", "<PluginConfig"];
                prop_assert!(roots.iter().any(|root| ui.raw_xml.starts_with(root)), "{}", ui.raw_xml);
            }
            Err(problem) => {
                let problem = problem.to_string();
                prop_assert!(problem.contains("made") || problem.contains(".xml"), "{}", problem);
            }
        }
    }
}
