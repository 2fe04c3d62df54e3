//! Tests of the definition dialect; tables of spec 1.2 and 1.3.

use std::time::Duration;

use super::*;
use cordon_base::account::thread_cpu;

/// The definitions in the folder with this source.
fn all(source: &str) -> Result<Vec<PluginDefinition>, String> {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("Foo");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("plugin.py"), source).unwrap();
    read_folder(&folder).map_err(|problem| problem.to_string())
}

/// The first definition of a source, or the problem's text.
fn read(source: &str) -> Result<PluginDefinition, String> {
    Ok(all(source)?.remove(0))
}

fn key(source: &str) -> String {
    read(source).unwrap().key
}

#[test]
fn a_whole_definition_is_read() {
    let plugin = read(
        "#\n# A comment\n\"\"\"\n<plugin key=\"K\" name=\"A & B\" author=\"me\" version=\"1.2.3\" \
         wikilink=\"w\" externallink=\"e\">\n  <description>\n    <h2>Title</h2><br/>\n  \
         Some   text &lt; more\n  </description>\n  <params>\n    <param field=\"Address\" \
         label=\"IP\" required=\"true\" default=\"127.0.0.1\"/>\n    <param field=\"Mode1\" \
         label=\"M\" width=\"75px\" password=\"true\" rows=\"3\">\n      <description>d</description>\n\
         <options>\n <option label=\"x\" value=\"y\" default=\"True\"/>\n \
         <option label=\"z\" value=\"w\" default=\"true\"/>\n </options>\n    </param>\n  </params>\n\
         </plugin>\"\"\"\nimport Domoticz\n",
    )
    .unwrap();
    // Rule 6.
    assert_eq!((plugin.key.as_str(), plugin.name.as_str()), ("K", "A  B"));
    assert_eq!(
        (plugin.version.as_str(), plugin.author.as_str()),
        ("1.2.3", "me")
    );
    assert_eq!(
        (plugin.wikilink.as_str(), plugin.externallink.as_str()),
        ("w", "e")
    );
    let description = "<description><h2>Title</h2><br>Some text &lt; more</description>";
    assert_eq!(plugin.description, description);
    let [address, mode] = plugin.params.as_slice() else {
        panic!("{:?}", plugin.params)
    };
    // Rule 8: a missing attribute is empty.
    assert_eq!(
        (address.field.as_str(), address.width.as_str()),
        ("Address", "")
    );
    assert_eq!(
        (address.required.as_str(), address.default.as_str()),
        ("true", "127.0.0.1")
    );
    assert_eq!((mode.rows.as_str(), mode.password.as_str()), ("3", "true"));
    assert_eq!(mode.description, "<description>d</description>");
    // Rule 7.
    let defaults: Vec<_> = mode.options.iter().map(|o| o.default).collect();
    assert_eq!(defaults, [false, true]);
}

#[test]
fn the_definition_is_cut_out_of_the_file_as_the_table_says() {
    // Rules 4, 5 and the other rows of spec 1.2.
    let same_line = read("\"\"\"<plugin key=\"K\"></plugin>\n").unwrap_err();
    assert!(
        same_line.contains("there is text before `<plugin` (row 1, column 1"),
        "{same_line}"
    );
    assert_eq!(
        key("\u{feff}  \t<plugin key=\"K\">\n</plugin>\"\"\"\ncode"),
        "K"
    );
    assert_eq!(key("<!-- x --> <plugin key=\"K\">\r\n</plugin>\r\n"), "K");
    assert_eq!(key("<plugin key=\"K\" />\n\"\"\"\nif a < b: pass\n"), "K");
    assert!(
        read("<plugin key=\"K\" />\n<html>\n")
            .unwrap_err()
            .contains("no end tag")
    );
    let early = read("# </plugin>\n<plugin key=\"K\">\n</plugin>\n").unwrap_err();
    assert!(early.contains("no `<plugin ...>` definition"), "{early}");
    assert!(
        read("import Domoticz\n")
            .unwrap_err()
            .contains("no `<plugin ...>`")
    );
    assert!(
        read("<plugin key=\"K\">\ncode")
            .unwrap_err()
            .contains("`<plugin>` has no end tag")
    );
}

#[test]
fn attributes_are_read_as_leniently_as_ever() {
    assert_eq!(key("<plugin key='K'>\n</plugin>"), "K");
    assert_eq!(key("<plugin key = \"K\">\n</plugin>"), "K");
    assert_eq!(key("<plugin name=x key=K>\n</plugin>"), "K");
    assert_eq!(
        key("<plugin key=\"a&nbsp;b &lt;&#65;&#x42;&quot; & c\">\n</plugin>"),
        "anbsp;b <AB\"  c"
    );
    let bare = read("<plugin\n key=\"K\" required>\n</plugin>").unwrap_err();
    assert!(bare.contains("attribute `required` has no value"), "{bare}");
    assert!(
        read("<plugin key=>\n</plugin>")
            .unwrap_err()
            .contains("has no value")
    );
}

#[test]
fn a_second_attribute_of_the_same_name_wins_and_ends_the_reading() {
    let source = "<plugin key=\"K\">\n<params>\n<param field=\"Mode1\" field=\"Mode2\" label=\"l\"/>\n\
                  <param field=\"Mode3\"/>\n</params>\n</plugin>";
    let plugin = read(source).unwrap();
    assert_eq!(plugin.params.len(), 1);
    assert_eq!(
        (
            plugin.params[0].field.as_str(),
            plugin.params[0].label.as_str()
        ),
        ("Mode2", "")
    );
}

#[test]
fn what_the_old_parser_refused_is_refused_with_its_place() {
    let unclosed =
        read("<plugin key=\"K\">\n<description>a<br>b</description>\n</plugin>").unwrap_err();
    assert!(unclosed.contains("(row 2, column "), "{unclosed}");
    assert!(unclosed.contains("Foo`: "), "{unclosed}");
    assert!(
        read("<plugin key=\"K\">\na < b\n</plugin>")
            .unwrap_err()
            .contains("row 2")
    );
    assert!(read("<plugin key=\"K\">\n</plugin >\n").is_err());
    assert!(all("<plugins key=\"K\">\n</plugins>\n").unwrap().is_empty());
}

#[test]
fn cdata_comments_and_entities_in_text_are_understood() {
    let source = "<plugin key=\"K\">\n<description><!-- c --><![CDATA[<b> & ]]> x &amp; &nbsp; & y</description>\n</plugin>";
    let expected = "<description>&lt;b&gt; &amp; x &amp; nbsp; y</description>";
    assert_eq!(read(source).unwrap().description, expected);
}

#[test]
fn a_hostile_definition_is_refused_within_bounds() {
    let deep = format!("<plugin key=\"K\">\n{}\n</plugin>", "<a>".repeat(1000));
    assert!(read(&deep).unwrap_err().contains("levels"));
    let wide = format!("<plugin key=\"K\">\n{}\n</plugin>", "<a/>".repeat(20_000));
    assert!(read(&wide).unwrap_err().contains("elements"));
    let beyond = format!("{}\n<plugin key=\"K\">\n</plugin>", "#".repeat(4 << 20));
    assert!(read(&beyond).unwrap_err().contains("first 4 MiB"));
    let bytes = extract(b"<plugin key=\"\xff\">\n</plugin>\n");
    assert!(manifest::parse(&bytes.xml).is_ok());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_fail_otherwise_than_by_saying_so(
        text in "(<plugin|</plugin>|<a|/>|>|<!--|-->|<!\\[CDATA\\[|\\]\\]>|&|&#x|;|=|\"|'|k|\\PC|\n| ){0,40}",
    ) {
        match manifest::parse(&text) {
            Ok(roots) => proptest::prop_assert!(roots.iter().all(|root| !root.to_xml().is_empty())),
            Err(error) => proptest::prop_assert!(error.row > 0 && error.column > 0),
        }
    }
}

#[test]
fn every_bound_of_a_definition_holds() {
    let whole = |inner: &str| all(&format!("<plugin key=\"K\">\n{inner}\n</plugin>"));
    let refused = |found: Result<Vec<PluginDefinition>, String>, with: &str| {
        let problem = found.unwrap_err();
        assert!(problem.contains(with), "{problem}");
        assert!(problem.len() < 700, "{} bytes", problem.len());
    };
    let many = |from: &str, n: usize| from.repeat(n);
    refused(
        all(&many("<plugin key='k'/>\n", 17)),
        "more than 16 plugins",
    );
    let text = "x".repeat(bounds::ATTRIBUTE_BYTES + 1);
    refused(
        all(&format!("<plugin key='{text}'>\n</plugin>")),
        "more than 16384 bytes",
    );
    refused(
        all(&format!("<plugin {text}=1>\n</plugin>")),
        "more than 16384 bytes",
    );
    let attributes: String = (0..65).map(|n| format!("a{n}=1 ")).collect();
    refused(
        all(&format!("<plugin {attributes}>\n</plugin>")),
        "more than 64 attributes",
    );
    let attributes: String = (0..60).map(|n| format!("a{n}=1 ")).collect();
    refused(
        whole(&many(&format!("<a {attributes}/>"), 400)),
        "more than 20000 attributes",
    );
    let lines = many(&format!("{}\n", "x".repeat(100)), 6000);
    refused(whole(&lines), "more than 524288 bytes");
    refused(
        whole(&format!(
            "<params><group>{}</group>{}</params>",
            many("<param/>", 30),
            many("<param/>", 35)
        )),
        "more than 64 `<param>`",
    );
    let options = format!("<options>{}</options>", many("<option/>", 1001));
    refused(
        whole(&format!(
            "<params><param field='x'>{options}</param></params>"
        )),
        "more than 1000 `<option>`",
    );
    let described = format!("<description>{}</description>", "x".repeat(70_000));
    refused(whole(&described), "more than 65536 bytes");
    // Text after an element that closes itself is no part of the definition.
    let code = "x = 1\n".repeat(200_000);
    assert_eq!(key(&format!("<plugin key=\"K\" />\n{code}")), "K");
}

#[test]
fn a_file_without_end_and_a_pipe_are_refused_at_once() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("plugin.py");
    let sparse = std::fs::File::create(&path).unwrap();
    sparse.set_len(3 << 30).unwrap();
    let start = thread_cpu();
    let problem = read_folder(root.path()).unwrap_err().to_string();
    assert!(
        problem.contains("3221225472 bytes; at most 16777216"),
        "{problem}"
    );
    assert!(thread_cpu().saturating_sub(start) < Duration::from_millis(100));
    std::fs::remove_file(&path).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    let problem = read_folder(root.path()).unwrap_err().to_string();
    assert!(problem.contains("no regular file"), "{problem}");
}

/// Texts that grow with `n`, each of another kind.
fn growing(n: usize) -> Vec<String> {
    let parts = [
        "a=1 ",
        "<a/>",
        "<a b='c'/>",
        "<a>",
        "&amp;",
        "&",
        "&lt",
        "]]>",
        "<![CDATA[",
        "<!--",
        "<",
        "\"",
        "<a b=c b=d>",
        "</a>",
        "<?x ",
        "<!DOCTYPE x [",
        "\u{ff}",
        " ",
        "<param/>",
        "<option/>",
    ];
    let mut texts: Vec<_> = parts
        .iter()
        .flat_map(|part| {
            let filled = part.repeat(n / part.len());
            [
                format!("<plugin key='K'>\n{filled}\n</plugin>"),
                format!("<plugin key='K' {filled}>\n</plugin>"),
                format!(
                    "<plugin key='K'><description>{filled}</description><params><param>\
                         <options>{filled}</options></param></params>\n</plugin>"
                ),
            ]
        })
        .collect();
    texts.push("<plugin key='k'/>\n".repeat(n / 18));
    let attributes: String = (0..n / 8).map(|it| format!("a{it}=1 ")).collect();
    texts.push(format!("<plugin {attributes}>\n</plugin>"));
    texts
}

#[test]
fn reading_takes_time_in_proportion_to_the_size() {
    let spent = |text: &str| {
        let best = (0..3).map(|_| {
            let start = thread_cpu();
            let _ = all(text);
            thread_cpu().saturating_sub(start)
        });
        best.min().unwrap_or_default()
    };
    for (small, large) in growing(60_000).iter().zip(&growing(240_000)) {
        let (few, many) = (spent(small), spent(large));
        // Four times as much; a quadratic reader takes sixteen times.
        let most = few * 8 + Duration::from_millis(30);
        let start: String = small.chars().take(60).collect();
        assert!(many < most, "{few:?}, {many:?}: {start}");
    }
}

#[test]
fn a_key_is_one_line() {
    for key in ["a&#10;b", "a&#9;b", "a&#x85;b"] {
        let folder = tempfile::tempdir().unwrap();
        let source = format!("<plugin key=\"{key}\" name=\"x\">\n</plugin>\n");
        std::fs::write(folder.path().join("plugin.py"), source).unwrap();
        let problem = read_folder(folder.path()).unwrap_err();
        assert!(problem.reason.contains("control character"), "{problem}");
        assert!(!problem.to_string().contains(char::is_control));
    }
}

#[test]
fn parameters_in_groups_are_parameters_rules_182_183_and_185() {
    let plugin = read(
        "<plugin key=\"K\">\n<params>\n<note/>\n<group label=\"Polling\">\n\
         <param field=\"PollSeconds\" type=\"number\" min=\"5\" max=\"600\" step=\"5\" default=\"45\"/>\n\
         <group label=\"Deeper\"><param field=\"Deep\"/></group>\n</group>\n\
         <param label=\"no field\"/>\n<param field=\"Token\" password=\"TRUE\" rows=\"3\" \
         visible_when=\"Mode1=TCP\"/>\n<param field=\"Old\" password=\"yes\"/>\n\
         <group><param field=\"Mode1\" password=\"1\"/></group>\n<other field=\"Late\"/>\n\
         </params>\n</plugin>\n",
    )
    .unwrap();
    let shown = |param: &Param| {
        (
            param.field.clone(),
            param.group.clone(),
            param.is_password(),
        )
    };
    let shown: Vec<_> = plugin.params.iter().map(shown).collect();
    let of = |field: &str, group: &str, password| (field.to_owned(), group.to_owned(), password);
    let expected = [
        of("PollSeconds", "Polling", false),
        of("Token", "", true),
        of("Old", "", false),
        of("Mode1", "", true),
        of("Late", "", false),
    ];
    assert_eq!(shown, expected);
    let poll = &plugin.params[0];
    assert_eq!(poll.input, "number");
    assert_eq!([&poll.min, &poll.max, &poll.step], ["5", "600", "5"]);
    assert_eq!(plugin.params[1].visible_when, "Mode1=TCP");
}
