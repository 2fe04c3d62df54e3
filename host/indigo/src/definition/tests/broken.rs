//! Files that are wrong, and the words that say where.

use super::*;

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
        let problem = told(file, text);
        assert!(
            problem.starts_with(&format!("Server Plugin/{file}, line")),
            "{problem}"
        );
        assert!(problem.contains(expected), "{problem} lacks {expected}");
    }
}

/// The problem of a file: that for which it is refused, or the one for which a part is left out.
fn told(file: &str, text: &str) -> String {
    match load(&[(file, text)]) {
        Err(problem) => problem.to_string(),
        Ok(all) => {
            let faults: Vec<_> = all.faults.iter().map(ToString::to_string).collect();
            assert_eq!(faults.len(), 1, "{text}: {faults:?}");
            assert!(faults[0].ends_with("; it is left out"), "{faults:?}");
            faults[0].clone()
        }
    }
}

#[test]
fn one_odd_part_keeps_no_other_from_being_used() {
    let devices = "<Devices>
        <Device type='lamp' id='odd'><Name>N</Name></Device>
        <Device type='custom' id='good'><Name>N</Name>
            <States>
                <State id='odd'/>
                <State id='list'><ValueType><List>
                    <Option>no value</Option><Option value='v'>V</Option>
                </List></ValueType></State>
                <State id='good'><ValueType>Number</ValueType></State>
            </States>
            <ConfigUI>
                <Field type='textfield'/>
                <Field id='a' type='textfield'/>
                <Field id='a' type='checkbox'/>
                <Field id='odd' type='textarea'/>
                <Field id='menu' type='menu'><List><Option>x</Option><Option value='v'/></List></Field>
                <Template/>
                <Field id='b' type='textfield'/>
            </ConfigUI>
        </Device>
        <Device type='relay' id='good'><Name>Second</Name></Device>
        <DeviceFactory/>
        <DeviceFactory><Name>F</Name><ConfigUI/></DeviceFactory>
        <DeviceFactory><Name>G</Name><ConfigUI/></DeviceFactory>
        <Device type='relay' id='last'><Name>Last</Name></Device></Devices>";
    let actions = "<Actions><Action/><Action id='a'><Name>A</Name></Action>
        <Action id='a'/><Action id='b'><CallbackMethod>c</CallbackMethod></Action>
        <Action id='c'><Name>C</Name></Action></Actions>";
    let menu = "<MenuItems><MenuItem id='odd'><Name>M</Name><ConfigUI actionId='x'/></MenuItem>
        <MenuItem id='good'><Name>M</Name></MenuItem><MenuItem id='good'><Name>M</Name></MenuItem>
        </MenuItems>";
    let events = "<Events><Event/><Event id='e'><Name>E</Name></Event></Events>";
    let all = load(&[
        ("Devices.xml", devices),
        ("Actions.xml", actions),
        ("MenuItems.xml", menu),
        ("Events.xml", events),
    ]);
    let all = all.unwrap();
    let types: Vec<_> = all.devices.types.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(types, ["good", "last"]);
    let good = &all.devices.types[0];
    let states: Vec<_> = good.states.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(states, ["list", "good"]);
    let ui = good.config_ui.as_ref().unwrap();
    let fields: Vec<_> = ui.fields.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(fields, ["a", "menu", "b"]);
    assert_eq!(ui.field("a").unwrap().kind, FieldKind::TextField);
    assert_eq!(all.devices.factory.as_ref().unwrap().name, "F");
    let actions: Vec<_> = all.actions.types.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(actions, ["a", "c"]);
    assert_eq!((all.menu.len(), all.events.types.len()), (1, 1));
    let faults: Vec<_> = all.faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 17, "{faults:#?}");
    assert!(
        faults.iter().all(|it| it.contains(".xml, line ")),
        "{faults:#?}"
    );
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
