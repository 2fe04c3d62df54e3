//! Files that are too large, too deep or no files, and the time that reading takes.

use super::*;

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

/// A function that makes a file around a text.
type Around<'a> = &'a dyn Fn(&str) -> String;

/// Every id goes into keys and lines with others, so each place that has one is tried.
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
