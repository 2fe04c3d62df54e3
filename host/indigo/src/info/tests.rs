//! Tests of `Info.plist`.

use proptest::prelude::*;

use super::*;

fn list(keys: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\"><plist version=\"1.0\"><dict>\
         {keys}</dict></plist>"
    )
}

fn key(name: &str, value: &str) -> String {
    format!("<key>{name}</key><string>{value}</string>")
}

fn usual() -> String {
    key("CFBundleIdentifier", "com.example.lamp")
        + &key(
            "CFBundleDisplayName",
            "Lamp & Co".replace('&', "&amp;").as_str(),
        )
        + &key("PluginVersion", "2025.1.0")
        + &key("ServerApiVersion", "3.0.0")
}

fn read(keys: &str) -> Result<Info, String> {
    Info::parse(list(keys).as_bytes())
}

#[test]
fn every_known_key_is_read() {
    let more = key("CFBundleVersion", "1.0.1")
        + &key("CFBundleName", "lamp")
        + &key("IwsApiVersion", "1.0.0")
        + "<key>LoadPriority</key><integer>101</integer>"
        + "<key>CFBundleURLTypes</key><array><dict><key>CFBundleURLName</key>\
           <string>https://example.com</string></dict></array>"
        + "<key>GithubInfo</key><dict><key>GithubUser</key><string>u</string>\
           <key>GithubRepo</key><string>r</string></dict>"
        + "<key>Other</key><date>2024-01-01T00:00:00Z</date><key>Flag</key><true/>";
    let info = read(&(usual() + &more)).unwrap();
    assert_eq!(info.identifier, "com.example.lamp");
    assert_eq!(info.display_name, "Lamp & Co");
    assert_eq!(info.version, "2025.1.0");
    assert_eq!(info.server_api, ApiVersion { major: 3, minor: 0 });
    assert_eq!(
        (info.bundle_version.as_str(), info.short_name.as_str()),
        ("1.0.1", "lamp")
    );
    assert_eq!(info.load_priority, Some(101));
    assert_eq!(info.support_url.as_deref(), Some("https://example.com"));
    assert_eq!(info.github.unwrap().repository, "r");
    assert_eq!(info.iws_api.as_deref(), Some("1.0.0"));
}

#[test]
fn binary_lists_are_read_too() {
    let mut dictionary = plist::Dictionary::new();
    for (name, value) in [
        ("CFBundleIdentifier", "com.example.b"),
        ("CFBundleDisplayName", "B"),
        ("PluginVersion", "1.0"),
        ("ServerApiVersion", "3.8"),
    ] {
        dictionary.insert(name.to_owned(), plist::Value::String(value.to_owned()));
    }
    let mut bytes = Vec::new();
    plist::Value::Dictionary(dictionary)
        .to_writer_binary(&mut bytes)
        .unwrap();
    assert_eq!(Info::parse(&bytes).unwrap().identifier, "com.example.b");
}

#[test]
fn missing_keys_and_wrong_values_say_what_was_expected() {
    assert!(
        read("")
            .unwrap_err()
            .contains("`CFBundleIdentifier` is missing")
    );
    let bad = usual().replace("com.example.lamp", "../x");
    assert!(read(&bad).unwrap_err().contains("expected letters, digits"));
    let bad = usual().replace("3.0.0", "new");
    assert!(
        read(&bad)
            .unwrap_err()
            .contains("ServerApiVersion: `new` is no API version")
    );
    assert!(Info::parse(b"{}").unwrap_err().contains("no property list"));
    let array = "<plist version=\"1.0\"><array/></plist>";
    assert!(
        Info::parse(array.as_bytes())
            .unwrap_err()
            .contains("no dictionary")
    );
}

#[test]
fn no_display_name_makes_lines_look_like_those_of_others() {
    let named = |name: &str| {
        let keys = usual().replace("Lamp &amp; Co", name);
        let info = read(&keys).unwrap();
        info.log_name()
    };
    for name in [
        "Lamp &amp; Co",
        "Status Board",
        "Hue (v2)",
        "APIs",
        "Error log",
    ] {
        assert_eq!(named(name).unwrap(), name.replace("&amp;", "&"));
    }
    let long = "x".repeat(201);
    for name in [
        "Status",
        "error",
        "Application",
        "API",
        "API (ann)",
        "Error: Lamps",
        "Lamps: x",
        "(Lamps) x",
        &long,
    ] {
        let refused = named(name).unwrap_err();
        assert!(refused.contains("give it a `name`"), "{refused}");
    }
}

#[test]
fn a_display_name_with_letters_of_other_scripts_is_shown_with_the_identifier() {
    let named = |name: &str| {
        let info = read(&usual().replace("Lamp &amp; Co", name)).unwrap();
        (info.log_name().unwrap(), info.identifier)
    };
    // The first letters of the first two are Cyrillic and Greek.
    for name in ["Нue", "Ηue", "Büro", "ランプ", "Hue [com.other]"] {
        let (shown, identifier) = named(name);
        assert_eq!(shown, format!("{name} [{identifier}]"));
    }
    for name in ["Hue", "Hue 2 – x", "Lamps \u{1f4a1}"] {
        assert_eq!(named(name).0, name);
    }
}

#[test]
fn versions_have_one_to_three_numbers() {
    let version = |text: &str| text.parse::<ApiVersion>().map(|it| it.to_string());
    assert_eq!(version("3.4.0").unwrap(), "3.4");
    assert_eq!(version(" 2 ").unwrap(), "2.0");
    assert!(version("3.4.0.1").is_err() && version("").is_err() && version("3.-1").is_err());
    let needs = |text: &str| read(&usual().replace("3.0.0", text)).unwrap();
    assert!(needs("3.8").check_api().is_ok());
    assert!(
        needs("3.9")
            .check_api()
            .unwrap_err()
            .contains("needs version 3.9")
    );
    assert!(needs("2.5").is_python2() && !needs("3.0").is_python2());
}

/// Two arrays that each name the next one twice, forty levels of them.
fn binary_bomb() -> Vec<u8> {
    let mut bytes = b"bplist00".to_vec();
    let mut offsets = Vec::new();
    for level in 0..40u8 {
        offsets.push(u8::try_from(bytes.len()).unwrap());
        bytes.extend([0xA2, level + 1, level + 1]);
    }
    offsets.push(u8::try_from(bytes.len()).unwrap());
    bytes.push(0x08);
    let table = u8::try_from(bytes.len()).unwrap();
    bytes.extend(&offsets);
    bytes.extend([0, 0, 0, 0, 0, 0, 1, 1]);
    bytes.extend([0, 0, 0, 0, 0, 0, 0, 41]);
    bytes.extend([0; 8]);
    bytes.extend([0, 0, 0, 0, 0, 0, 0, table]);
    bytes
}

#[test]
fn endless_lists_end() {
    assert!(Info::parse(&binary_bomb()).unwrap_err().contains("deep"));
    let deep = format!("<plist version=\"1.0\">{}", "<array>".repeat(100_000));
    assert!(Info::parse(deep.as_bytes()).unwrap_err().contains("deep"));
    let many = list(&format!(
        "<key>k</key><array>{}</array>",
        "<true/>".repeat(20_000)
    ));
    assert!(Info::parse(many.as_bytes()).unwrap_err().contains("values"));
}

/// An array that names one long text many times.
fn text_bomb(length: usize, times: u16) -> Vec<u8> {
    let mut bytes = b"bplist00".to_vec();
    let array = bytes.len();
    bytes.push(0xAF);
    bytes.push(0x11);
    bytes.extend(times.to_be_bytes());
    bytes.extend(std::iter::repeat_n(1, usize::from(times)));
    let text = bytes.len();
    bytes.extend([0x5F, 0x12]);
    bytes.extend(u32::try_from(length).unwrap().to_be_bytes());
    bytes.extend(std::iter::repeat_n(b'x', length));
    let table = bytes.len();
    for offset in [array, text] {
        bytes.extend(u32::try_from(offset).unwrap().to_be_bytes());
    }
    bytes.extend([0, 0, 0, 0, 0, 0, 4, 1]);
    bytes.extend(2u64.to_be_bytes());
    bytes.extend(0u64.to_be_bytes());
    bytes.extend(u64::try_from(table).unwrap().to_be_bytes());
    bytes
}

#[test]
fn a_text_counts_as_often_as_it_is_named() {
    assert!(
        Info::parse(&text_bomb(1000, 100))
            .unwrap_err()
            .contains("no dictionary")
    );
    let start = cordon_base::account::thread_cpu();
    let problem = Info::parse(&text_bomb(1_000_000, 9000)).unwrap_err();
    assert!(problem.contains("bytes of texts"), "{problem}");
    let spent = cordon_base::account::thread_cpu().saturating_sub(start);
    assert!(spent < std::time::Duration::from_secs(2), "{spent:?}");
}

proptest! {
    #[test]
    fn any_bytes_are_a_safe_name_or_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..200, byte in any::<u8>()) {
        let sound = |bytes: &[u8]| match Info::parse(bytes) {
            Ok(info) => !info.identifier.is_empty() && !info.identifier.contains(['/', '\0']),
            Err(reason) => !reason.is_empty(),
        };
        prop_assert!(sound(&bytes));
        let mut binary = b"bplist00".to_vec();
        binary.extend(&bytes);
        prop_assert!(sound(&binary));
        let mut bomb = binary_bomb();
        if let Some(place) = bomb.get_mut(at) {
            *place = byte;
        }
        prop_assert!(sound(&bomb));
    }
}
