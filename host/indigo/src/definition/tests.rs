//! Tests of the XML definitions: vocabulary, errors with their places, bounds.

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
    let twice = refusal(
        "Devices.xml",
        &format!("<Devices>\n{factory}\n{factory}</Devices>"),
    );
    assert!(
        twice.contains("Devices.xml, line 3: a second `<DeviceFactory>`"),
        "{twice}"
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
fn broken_files_name_the_place_and_what_was_expected() {
    let cases = [
        (
            "Devices.xml",
            "<Devices>\n<Device type='custom' id='a'>\n</Devices>",
            "line 3",
        ),
        (
            "Devices.xml",
            "<Devices>\n\n<Device type='lamp' id='a'><Name>N</Name></Device></Devices>",
            "line 3: device `a` has the unknown type `lamp`; expected one of relay, dimmer",
        ),
        (
            "Devices.xml",
            "<Devices><Device type='relay'><Name>N</Name></Device></Devices>",
            "line 1: `<Device>` needs the attribute `id`",
        ),
        (
            "Devices.xml",
            "<Devices>\n<Device type='relay' id='a'/></Devices>",
            "line 2: `<Device>` `a` needs a `<Name>` with text",
        ),
        (
            "Devices.xml",
            "<Devices><Device type='relay' id='a'><Name>N</Name><States>\n<State id='s'/>\
         </States></Device></Devices>",
            "line 2: state `s` needs a `<ValueType>`",
        ),
        (
            "Devices.xml",
            "<Devices><Device type='relay' id='a'><Name>N</Name><States><State id='s.t'>\
         <ValueType>String</ValueType></State></States></Device></Devices>",
            "full stop",
        ),
        (
            "Devices.xml",
            "<Devices><Device type='relay' id='a'><Name>N</Name><States><State id='s'>\
         <ValueType>Text</ValueType></State></States></Device></Devices>",
            "unknown value type `Text`; expected String",
        ),
        (
            "Devices.xml",
            "<Device/>",
            "the root element is `<Device>`; expected `<Devices>`",
        ),
        (
            "Actions.xml",
            "<Actions>\n<Action id='a'><Name>A & B</Name></Action></Actions>",
            "line 2",
        ),
        (
            "Actions.xml",
            "<Actions><Action id='a' id='b'/></Actions>",
            "attribute",
        ),
        (
            "Actions.xml",
            "<Actions><Action id='a'/>\n<Action id='a'/></Actions>",
            "line 2: two `<Action>` elements have the id `a`",
        ),
        (
            "Events.xml",
            "<Events><Event id='&nbsp;'/></Events>",
            "entity `&nbsp;` is not known",
        ),
        ("Events.xml", "", "no element"),
        ("Events.xml", "<Events>\n\n<Event", "line 3"),
        (
            "Events.xml",
            "<Events/>\n<Events/>",
            "line 2: a second root",
        ),
        ("Events.xml", "<Events/>\nmore", "line 1: text outside"),
        (
            "Events.xml",
            "<?xml version='1.0' encoding='UTF-16'?><Events/>",
            "save the file as UTF-8",
        ),
        (
            "MenuItems.xml",
            "<MenuItems><MenuItem id='m'><Name>M</Name><ConfigUI actionId='x'/></MenuItem>\
         </MenuItems>",
            "`actionId` names `x`",
        ),
        (
            "PluginConfig.xml",
            "<PluginConfig>\n<Field id='a' type='textarea'/></PluginConfig>",
            "line 2: field `a` has the unknown type `textarea`; expected one of textfield",
        ),
        (
            "PluginConfig.xml",
            "<PluginConfig>\n<Field id='a' type='menu'/></PluginConfig>",
            "line 2: field `a` needs a `<List>`",
        ),
        (
            "PluginConfig.xml",
            "<PluginConfig><Field id='a' type='menu'><List class='indigo.lamps'/></Field>\
         </PluginConfig>",
            "unknown class `indigo.lamps`",
        ),
        (
            "PluginConfig.xml",
            "<PluginConfig><Field id='a' type='menu'><List class='self'/></Field>\
         </PluginConfig>",
            "needs the attribute `method`",
        ),
        (
            "PluginConfig.xml",
            "<PluginConfig><Field id='a' type='textfield'/>\n<Field id='a' type='menu'>\
         <List/></Field></PluginConfig>",
            "line 2: two fields of the dialog have the id `a`",
        ),
    ];
    for (file, text, expected) in cases {
        let problem = refusal(file, text);
        assert!(
            problem.starts_with(&format!("Server Plugin/{file}, line")),
            "{problem}"
        );
        assert!(problem.contains(expected), "{problem} lacks {expected}");
    }
}

#[test]
fn entities_never_read_anything() {
    let bomb = "<!DOCTYPE Events [<!ENTITY a 'xx'><!ENTITY b SYSTEM 'file:///etc/passwd'>]>\
        <Events><Event id='e'><Name>&b;</Name></Event></Events>";
    assert!(refusal("Events.xml", bomb).contains("the entity `&b;` is not known"));
}

#[test]
fn unknown_elements_are_remarks() {
    let xml = "<Devices><Device type='custom' id='a'><Name>N</Name><SupportsX>1</SupportsX></Device></Devices>";
    let all = load(&[("Devices.xml", xml)]).unwrap();
    assert!(
        all.remarks[0]
            .to_string()
            .contains("`<SupportsX>` in `<Device>` is ignored")
    );
}

#[test]
fn a_byte_order_mark_and_line_ends_do_not_matter() {
    let all = load(&[(
        "Events.xml",
        "\u{feff}<?xml version=\"1.0\"?>\r\n<Events>\r\n<Event id='e'>\r\n<Name>E\r\n</Name></Event></Events>",
    )]);
    let event = all.unwrap().events.types.remove(0);
    assert_eq!((event.name.as_str(), event.line), ("E", 3));
}

#[test]
fn size_depth_and_count_are_bounded() {
    let deep = format!("<Events>{}", "<a>".repeat(XML_DEPTH));
    assert!(refusal("Events.xml", &deep).contains("levels"));
    let many = format!("<Events>{}</Events>", "<a/>".repeat(XML_ELEMENTS));
    assert!(refusal("Events.xml", &many).contains("elements"));
    let large = format!("<Events>{}</Events>", " ".repeat(XML_BYTES));
    assert!(refusal("Events.xml", &large).contains("bytes"));
}

#[test]
fn templates_that_name_each_other_end_soon() {
    let named = format!("<Template file='T{}.xml'/>", 1);
    let mut files = vec![(
        "PluginConfig.xml".to_owned(),
        format!("<PluginConfig>{named}</PluginConfig>"),
    )];
    for level in 1..8 {
        let next = format!("<Template file='T{}.xml'/>", level + 1);
        files.push((
            format!("T{level}.xml"),
            format!("<T>{}</T>", next.repeat(30)),
        ));
    }
    files.push(("T8.xml".to_owned(), "<T/>".to_owned()));
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let start = thread_cpu();
    let problem = load(&files).unwrap_err().to_string();
    assert!(
        problem.contains(&format!("named more than {TEMPLATES} times")),
        "{problem}"
    );
    assert!(thread_cpu().saturating_sub(start) < std::time::Duration::from_secs(5));
}

#[test]
fn a_template_counts_as_often_as_it_is_named() {
    let device = |n: usize| {
        format!(
            "<Device id='d{n}' type='custom'><Name>N</Name><ConfigUI><Template file='t.xml'/>\
             </ConfigUI></Device>"
        )
    };
    let devices = |count| -> String { (0..count).map(device).collect() };
    let fields: String = (0..1000)
        .map(|n| format!("<Field id='f{n}' type='label'/>"))
        .collect();
    let template = format!("<T>{fields}</T>");
    let of = |count| {
        let devices = format!("<Devices>{}</Devices>", devices(count));
        load(&[("Devices.xml", &devices), ("t.xml", &template)])
    };
    assert_eq!(of(20).unwrap().devices.types.len(), 20);
    let problem = of(XML_ALL_NODES / 3000 + 1).unwrap_err().to_string();
    assert!(problem.contains("elements and attributes"), "{problem}");
    // A large one counts by its bytes.
    let large = format!("<T><!--{}--></T>", "x".repeat(XML_BYTES - 100));
    let devices = format!("<Devices>{}</Devices>", devices(3));
    let problem = load(&[("Devices.xml", &devices), ("t.xml", &large)]).unwrap_err();
    assert!(
        problem
            .to_string()
            .contains("the files have more than 8388608 bytes"),
        "{problem}"
    );
    // So does the dialog that a plugin makes.
    let contents = folder(&[("t.xml", &large)]);
    let source = Source::new(contents.path(), &contents.path().join("Server Plugin"));
    let text = format!(
        "<ConfigUI>{}</ConfigUI>",
        "<Template file='t.xml'/>".repeat(3)
    );
    assert!(ConfigUi::from_xml(&text, "made", &source).is_err());
}

#[test]
fn lists_are_bounded_and_read_in_one_go() {
    let options = |count: usize| -> String {
        (0..count)
            .map(|n| format!("<Option value='{n}'>o</Option>"))
            .collect()
    };
    let state = |count| {
        format!(
            "<Devices><Device id='d' type='custom'><Name>N</Name><States><State id='s'><ValueType>\
             <List>{}</List></ValueType></State></States></Device></Devices>",
            options(count)
        )
    };
    assert!(load(&[("Devices.xml", &state(DECLARED_OPTIONS))]).is_ok());
    let refused = refusal("Devices.xml", &state(DECLARED_OPTIONS + 1));
    assert!(refused.contains("more than 1000 options"), "{refused}");
    let menu = |count| {
        let list = options(count);
        format!(
            "<PluginConfig><Field id='f' type='menu'><List>{list}</List></Field></PluginConfig>"
        )
    };
    assert!(load(&[("PluginConfig.xml", &menu(OPTIONS))]).is_ok());
    assert!(refusal("PluginConfig.xml", &menu(OPTIONS + 1)).contains("more than 5000 options"));
}

/// A file around a text.
type Around<'a> = &'a dyn Fn(&str) -> String;

/// Every id is put into keys and lines with others, so each place that has one is tried.
#[test]
fn ids_and_labels_are_bounded_in_all_files() {
    let device = |of: &str| format!("<Devices>{of}</Devices>");
    let state = |of: &str| {
        device(&format!(
            "<Device id='d' type='custom'><Name>N</Name><States>{of}</States></Device>"
        ))
    };
    let field = |of: &str| format!("<PluginConfig>{of}</PluginConfig>");
    let files: [(&str, usize, Around<'_>); 19] = [
        ("Devices.xml", ID_BYTES, &|x| {
            device(&format!(
                "<Device id='{x}' type='custom'><Name>N</Name></Device>"
            ))
        }),
        ("Devices.xml", LABEL_BYTES, &|x| {
            device(&format!(
                "<Device id='d' type='custom'><Name>{x}</Name></Device>"
            ))
        }),
        ("Devices.xml", LABEL_BYTES, &|x| {
            device(&format!(
                "<Device id='d' type='custom' subType='{x}'><Name>N</Name></Device>"
            ))
        }),
        ("Devices.xml", ID_BYTES, &|x| {
            state(&format!(
                "<State id='{x}'><ValueType>String</ValueType></State>"
            ))
        }),
        ("Devices.xml", LABEL_BYTES, &|x| {
            state(&format!(
                "<State id='s' defaultValue='{x}'><ValueType>String</ValueType></State>"
            ))
        }),
        ("Devices.xml", LABEL_BYTES, &|x| {
            state(&format!(
                "<State id='s'><ValueType>String</ValueType><TriggerLabel>{x}</TriggerLabel></State>"
            ))
        }),
        ("Devices.xml", ID_BYTES, &|x| {
            state(&format!(
                "<State id='s'><ValueType><List><Option value='{x}'/></List></ValueType></State>"
            ))
        }),
        ("Devices.xml", LABEL_BYTES, &|x| {
            state(&format!(
                "<State id='s'><ValueType><List><Option value='v'>{x}</Option></List></ValueType>\
                 </State>"
            ))
        }),
        ("Actions.xml", ID_BYTES, &|x| {
            format!("<Actions><Action id='{x}'><Name>N</Name></Action></Actions>")
        }),
        ("Actions.xml", ID_BYTES, &|x| {
            format!(
                "<Actions><Action id='a'><Name>N</Name><CallbackMethod>{x}</CallbackMethod></Action>\
                 </Actions>"
            )
        }),
        ("Actions.xml", LABEL_BYTES, &|x| {
            format!("<Actions><Action id='a' uiPath='{x}'><Name>N</Name></Action></Actions>")
        }),
        ("Events.xml", ID_BYTES, &|x| {
            format!("<Events><Event id='{x}'><Name>N</Name></Event></Events>")
        }),
        ("Events.xml", LABEL_BYTES, &|x| {
            format!("<Events><Event id='e'><Name>{x}</Name></Event></Events>")
        }),
        ("MenuItems.xml", ID_BYTES, &|x| {
            format!("<MenuItems><MenuItem id='{x}'><Name>N</Name></MenuItem></MenuItems>")
        }),
        ("MenuItems.xml", LABEL_BYTES, &|x| {
            format!(
                "<MenuItems><MenuItem id='m'><Name>N</Name><ButtonTitle>{x}</ButtonTitle></MenuItem>\
                 </MenuItems>"
            )
        }),
        ("PluginConfig.xml", ID_BYTES, &|x| {
            field(&format!("<Field id='{x}' type='textfield'/>"))
        }),
        ("PluginConfig.xml", ID_BYTES, &|x| {
            field(&format!(
                "<Field id='f' type='menu'><List class='self' method='{x}'/></Field>"
            ))
        }),
        ("PluginConfig.xml", TEXT_BYTES, &|x| {
            field(&format!(
                "<Field id='f' type='textfield' defaultValue='{x}'/>"
            ))
        }),
        ("PluginConfig.xml", TEXT_BYTES, &|x| {
            field(&format!(
                "<Field id='f' type='label'><Label>{x}</Label></Field>"
            ))
        }),
    ];
    for (place, (file, most, of)) in files.iter().enumerate() {
        let loaded = load(&[(*file, &of(&"k".repeat(*most)))]);
        assert!(loaded.is_ok(), "{place} {file}: {loaded:?}");
        let refused = refusal(file, &of(&"k".repeat(most + 1)));
        assert!(refused.contains("bytes"), "{place} {refused}");
    }
}

#[test]
fn what_depends_on_each_other_is_bounded() {
    let states = |count: usize| -> String {
        let state = |n| format!("<State id='s{n}'><ValueType>String</ValueType></State>");
        let states: String = (0..count).map(state).collect();
        format!(
            "<Devices><Device id='d' type='custom'><Name>N</Name><States>{states}</States></Device>\
             </Devices>"
        )
    };
    assert!(load(&[("Devices.xml", &states(DECLARED_STATES))]).is_ok());
    let refused = refusal("Devices.xml", &states(DECLARED_STATES + 1));
    assert!(refused.contains("more than 1000 states"), "{refused}");
    let bound = |count: usize| {
        let wanted = vec!["v"; count].join(",");
        format!(
            "<PluginConfig><Field id='f' type='label' visibleBindingId='g' \
             visibleBindingValue='{wanted}'/></PluginConfig>"
        )
    };
    assert!(load(&[("PluginConfig.xml", &bound(BINDING_VALUES))]).is_ok());
    let refused = refusal("PluginConfig.xml", &bound(BINDING_VALUES + 1));
    assert!(refused.contains("more than 256 values"), "{refused}");
    // Each of these is six times as long when it is written again.
    let quotes = format!(
        "<Field id='f' type='label' tooltip='{}'/>",
        "\"".repeat(16_000)
    );
    let text = format!("<ConfigUI>{}</ConfigUI>", quotes.repeat(100));
    let contents = folder(&[]);
    let source = Source::new(contents.path(), &contents.path().join("Server Plugin"));
    let refused = ConfigUi::from_xml(&text, "made", &source).unwrap_err();
    assert!(refused.to_string().contains("written as XML"), "{refused}");
}

/// Line breaks and indents between elements are no text.
#[test]
fn the_layout_of_a_file_counts_for_no_text() {
    let indent = format!("\n{}", " ".repeat(200));
    let items: String = (0..200)
        .map(|n| format!("{indent}<Event id='e{n}'>{indent}<Name>E{indent}x</Name></Event>"))
        .collect();
    let all = load(&[(
        "Events.xml",
        &format!("<Events>stray{items}{indent}</Events>"),
    )])
    .unwrap();
    assert_eq!(all.events.types.len(), 200);
    assert_eq!(all.events.types[0].name, "E x");
}

#[test]
fn the_length_of_a_dialog_is_known_before_it_is_written() {
    let text = "<ConfigUI a='&lt;&quot;x'>\n<Field id='f' type='label'><Label>&amp; \"'>ä</Label></Field> </ConfigUI>";
    let root = super::xml::parse(text.as_bytes(), &super::budget::Budget::new()).unwrap();
    assert_eq!(root.xml_bytes(), root.to_xml().len());
}

#[test]
fn reading_takes_time_in_proportion_to_the_size() {
    let parts = [
        "<Field id='a' type='label'/>",
        "<a b='c'/>",
        "<a>",
        "&amp;",
        "&",
        "&#65;",
        "]]>",
        "<!--",
        "<![CDATA[x]]>",
        "<?x?>",
        "a='b' ",
        "<Option value='v'>x</Option>",
        "<",
        "\n",
        "x ",
        "<Field id='f' type='list'><List><Option value='a'/></List></Field>",
    ];
    let text = |part: &str, n: usize| {
        let filled = part.repeat(n / part.len());
        format!(
            "<PluginConfig {}>{filled}</PluginConfig>",
            if part == "a='b' " { &filled } else { "" }
        )
    };
    let spent = |text: &str| {
        let contents = folder(&[]);
        let source = Source::new(contents.path(), &contents.path().join("Server Plugin"));
        let best = (0..3).map(|_| {
            let start = thread_cpu();
            let _ = ConfigUi::from_xml(text, "made", &source);
            thread_cpu().saturating_sub(start)
        });
        best.min().unwrap_or_default()
    };
    let numbered = |n: usize, of: fn(usize) -> String| -> String {
        let inner: String = (0..n).map(of).collect();
        format!("<PluginConfig>{inner}</PluginConfig>")
    };
    let field = |n| format!("<Field id='f{n}' type='checkbox'/>");
    let option = |n| format!("<Option value='{n}'/>");
    let mut pairs: Vec<_> = parts
        .iter()
        .map(|it| (text(it, 60_000), text(it, 240_000)))
        .collect();
    pairs.push((numbered(1000, field), numbered(4000, field)));
    pairs.push((numbered(1000, option), numbered(4000, option)));
    for (small, large) in pairs {
        let (few, many) = (spent(&small), spent(&large));
        let most = few * 8 + std::time::Duration::from_millis(30);
        let start: String = small.chars().take(60).collect();
        assert!(many < most, "{few:?}, {many:?}: {start}");
    }
}

#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let contents = folder(&[]);
    let plugin = contents.path().join("Server Plugin");
    let made = std::process::Command::new("mkfifo")
        .arg(plugin.join("Events.xml"))
        .status();
    assert!(made.unwrap().success());
    let problem = Definitions::load(contents.path(), &plugin)
        .unwrap_err()
        .to_string();
    assert!(problem.contains("no regular file"), "{problem}");
    fs::remove_file(plugin.join("Events.xml")).unwrap();
    let sparse = fs::File::create(plugin.join("Events.xml")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    let problem = Definitions::load(contents.path(), &plugin)
        .unwrap_err()
        .to_string();
    assert!(problem.contains("at most 4194304 are read"), "{problem}");
}

#[test]
fn not_utf8_is_said_with_its_line() {
    let contents = folder(&[]);
    let plugin = contents.path().join("Server Plugin");
    fs::write(
        plugin.join("Events.xml"),
        b"<Events>\n<Event id='\xff'/></Events>",
    )
    .unwrap();
    let problem = Definitions::load(contents.path(), &plugin).unwrap_err();
    assert!(
        problem.to_string().contains("line 2: this is not UTF-8"),
        "{problem}"
    );
}

#[test]
fn a_dialog_made_by_a_plugin_is_read_and_written_the_same() {
    let contents = folder(&[]);
    let source = Source::new(contents.path(), &contents.path().join("Server Plugin"));
    let text = "<ConfigUI><Field id=\"a\" type=\"label\"><Label>x &lt; &quot;y&quot;</Label></Field></ConfigUI>";
    let ui = ConfigUi::from_xml(text, "getDeviceConfigUiXml", &source).unwrap();
    assert_eq!(ui.fields[0].label, "x < \"y\"");
    assert_eq!(ui.raw_xml, text);
    let again = ConfigUi::from_xml(&ui.raw_xml, "getDeviceConfigUiXml", &source).unwrap();
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
    fn nothing_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in soup()) {
        let contents = folder(&[("Devices.xml", &text)]);
        let plugin = contents.path().join("Server Plugin");
        fs::write(plugin.join("Events.xml"), &bytes).unwrap();
        let _ = Definitions::load(contents.path(), &plugin);
        let source = Source::new(contents.path(), &plugin);
        let _ = ConfigUi::from_xml(&text, "made", &source);
    }
}
