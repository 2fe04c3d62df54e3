//! Tests of discovery and of the definition dialect; tables of spec 1.2 and 1.3.

use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

fn plugins(files: &[(&str, &str)]) -> (TempDir, Catalogue) {
    let root = tempfile::tempdir().unwrap();
    for (folder, source) in files {
        fs::create_dir_all(root.path().join(folder)).unwrap();
        fs::write(root.path().join(folder).join("plugin.py"), source).unwrap();
    }
    let catalogue = Catalogue::discover(root.path()).unwrap();
    (root, catalogue)
}

/// The definition of a source, or the problem's text.
fn read(source: &str) -> Result<PluginDefinition, String> {
    let (_root, catalogue) = plugins(&[("Foo", source)]);
    match (catalogue.plugins.first(), catalogue.problems.first()) {
        (Some(plugin), None) => Ok(plugin.clone()),
        (None, Some(problem)) => Err(problem.to_string()),
        other => panic!("{other:?}"),
    }
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
    let description = "<description><h2>Title</h2><br />Some text &lt; more</description>";
    assert_eq!(plugin.description, description);
    let [address, mode] = plugin.params.as_slice() else {
        panic!("{:?}", plugin.params)
    };
    // Rule 8: what is missing is empty.
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
    let (_root, other_names) = plugins(&[("a", "<plugins key=\"K\">\n</plugins>\n")]);
    assert_eq!(
        (other_names.plugins.len(), other_names.problems.len()),
        (0, 0)
    );
}

#[test]
fn cdata_comments_and_entities_in_text_are_understood() {
    let source = "<plugin key=\"K\">\n<description><!-- c --><![CDATA[<b> & ]]> x &amp; &nbsp; & y</description>\n</plugin>";
    let expected = "<description>&lt;b&gt; &amp; x &amp; nbsp; y</description>";
    assert_eq!(read(source).unwrap().description, expected);
}

#[test]
fn only_direct_folders_with_a_plugin_file_count_and_links_do() {
    // Rules 1, 2, 3.
    let source = |key: &str| format!("<plugin key=\"{key}\">\n</plugin>\n");
    let (root, catalogue) = plugins(&[
        ("Foo", &source("Bar")),
        ("examples", &source("E")),
        ("a/b", &source("N")),
        (".hidden", &source("H")),
    ]);
    assert_eq!(catalogue.folders, 2);
    assert_eq!(
        catalogue.find("Bar").unwrap().folder,
        root.path().join("Foo")
    );
    assert!(catalogue.find("H").is_some());
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("real.py"), source("L")).unwrap();
    symlink(root.path().join("Foo"), root.path().join("Zlinked")).unwrap();
    fs::create_dir(root.path().join("file")).unwrap();
    symlink(
        elsewhere.path().join("real.py"),
        root.path().join("file/plugin.py"),
    )
    .unwrap();
    fs::create_dir_all(root.path().join("dir/plugin.py")).unwrap();
    let again = Catalogue::discover(root.path()).unwrap();
    assert_eq!(again.folders, 4);
    assert!(again.find("L").is_some());
    assert!(
        Catalogue::discover(&root.path().join("none"))
            .unwrap()
            .plugins
            .is_empty()
    );
}

#[test]
fn the_bytewise_first_folder_has_the_key() {
    // Rule 9; `a-b/` sorts before `a/`.
    let source = "<plugin key='K'>\n</plugin>\n";
    let (root, catalogue) = plugins(&[("a", source), ("a-b", source), ("b", source)]);
    assert_eq!(catalogue.find("K").unwrap().folder, root.path().join("a-b"));
    assert_eq!(catalogue.find("k"), None);
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
    assert!(manifest::parse(&bytes).is_ok());
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
fn a_description_keeps_its_looks_and_loses_what_could_run() {
    let list = r#"<description><h2>Kodi</h2><ul style="list-style-type:square"><li>a</li></ul></description>"#;
    assert_eq!(safe_html(list), list);
    let hostile = r#"<description><b onclick="x()">Hi</b><script>evil()</script><a href="javascript:x()">l</a><p style="position:fixed;color:red">t</p><iframe src="http://x" /></description>"#;
    let safe = safe_html(hostile);
    for part in ["onclick", "script", "evil", "position", "iframe"] {
        assert!(!safe.contains(part), "{safe}");
    }
    assert!(
        safe.contains("<b>Hi</b>") && safe.contains("color:red"),
        "{safe}"
    );
    assert_eq!(safe_html(""), "");
    assert_eq!(safe_html("<description />"), "");
}
