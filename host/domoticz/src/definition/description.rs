//! Makes HTML out of descriptions that can be shown in a page.
//!
//! A description is a stranger's HTML. Browsers make some of it far larger than it was written,
//! because of tags that are not closed: every `<b>` that is open is opened again in every
//! paragraph. So the possible size is computed before a description is read.

use std::sync::LazyLock;

use cordon_base::bounds;

/// Tags that browsers open again where they were left open.
const TYPE: [&str; 14] = [
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];

/// Shown in the place of a description with too much in it.
const TOO_MUCH: &str = "<description>(The description has more tags than are shown.)</description>";

/// A description as HTML that can be shown in a page: its looks stay, and everything that could run
/// or load something goes. The `<description>` element stays around it, as clients expect it (spec
/// 1.4).
pub(super) fn safe_html(description: &str) -> String {
    let inner = description
        .strip_prefix("<description>")
        .and_then(|rest| rest.strip_suffix("</description>"))
        .unwrap_or_default();
    if inner.is_empty() {
        return String::new();
    }
    if is_too_much(inner) {
        return TOO_MUCH.to_owned();
    }
    let clean = CLEANER.clean(inner).to_string();
    // Attributes are added to links, and characters encoded.
    if clean.len() > bounds::DESCRIPTION_BYTES.saturating_mul(4) {
        return TOO_MUCH.to_owned();
    }
    format!("<description>{clean}</description>")
}

fn is_too_much(html: &str) -> bool {
    let (mut tags, mut of_type) = (0_usize, 0_usize);
    for part in html.split('<').skip(1) {
        tags = tags.saturating_add(1);
        let end = part.find(|c: char| !c.is_ascii_alphanumeric());
        let name = part.get(..end.unwrap_or(part.len())).unwrap_or_default();
        if TYPE.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            of_type = of_type.saturating_add(1);
        }
    }
    tags > bounds::DESCRIPTION_TAGS || tags.saturating_mul(of_type) > bounds::DESCRIPTION_WORK
}

static CLEANER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let looks = [
        "class", "style", "align", "valign", "bgcolor", "width", "height", "border",
    ];
    let properties = [
        "background-color",
        "border",
        "color",
        "display",
        "font-family",
        "font-size",
        "font-style",
        "font-weight",
        "height",
        "line-height",
        "list-style",
        "list-style-type",
        "margin",
        "margin-bottom",
        "margin-left",
        "margin-right",
        "margin-top",
        "padding",
        "padding-bottom",
        "padding-left",
        "padding-right",
        "padding-top",
        "text-align",
        "text-decoration",
        "vertical-align",
        "white-space",
        "width",
    ];
    let mut builder = ammonia::Builder::default();
    builder
        .add_tags(["font", "u"])
        .add_tag_attributes("font", ["color", "size"])
        .add_generic_attributes(looks)
        .filter_style_properties(properties.into_iter().collect())
        .link_rel(Some("noopener noreferrer"));
    builder
});

#[cfg(test)]
mod tests {
    use super::*;
    use cordon_base::account::thread_cpu;

    #[test]
    fn a_description_keeps_its_looks_and_loses_what_could_run() {
        let list = r#"<description><h2>Kodi</h2><ul style="list-style-type:square"><li>a</li></ul></description>"#;
        assert_eq!(safe_html(list), list);
        let hostile = r#"<description><b onclick="x()">Hi</b><script>evil()</script><a href="javascript:x()">l</a><p style="position:fixed;color:red">t</p><iframe src="http://x" /></description>"#;
        let safe = safe_html(hostile);
        for part in ["onclick", "<script", "evil", "position", "iframe"] {
            assert!(!safe.contains(part), "{safe}");
        }
        assert!(
            safe.contains("<b>Hi</b>") && safe.contains("color:red"),
            "{safe}"
        );
        assert_eq!(safe_html(""), "");
        assert_eq!(safe_html("<description />"), "");
    }

    #[test]
    fn no_description_takes_long_or_becomes_large() {
        let around = |inner: &str| format!("<description>{inner}</description>");
        let fill = |part: &str| part.repeat(60_000 / part.len());
        let open: String = (0..300).map(|n| format!("<b id={n}>")).collect();
        let hostile = [
            fill("<b>"),
            fill("<div>"),
            fill("<a href=x>"),
            fill("<table>"),
            fill("<svg><b>"),
            fill("<p><b class=x>"),
            format!("<p>{open}{}", fill("</p><p>x")),
            format!("<p {}>", fill("a b c d e f g h ")),
            format!(
                "<p {}>",
                (0..9000).map(|n| format!("a{n} ")).collect::<String>()
            ),
            format!("<p style='{}'>", fill("color:red;")),
            format!("<p style='{}'>", fill("(")),
            fill("&amp"),
            fill("&#0;"),
            fill("<!--"),
        ];
        for inner in hostile {
            let start = thread_cpu();
            let safe = safe_html(&around(&inner));
            let spent = thread_cpu().saturating_sub(start);
            let shown: String = inner.chars().take(30).collect();
            println!("{shown}: {spent:?}, {} bytes", safe.len());
            assert!(safe.len() <= bounds::DESCRIPTION_BYTES * 5, "{shown}");
            assert!(
                spent < std::time::Duration::from_secs(2),
                "{shown}: {spent:?}"
            );
        }
        // Ordinary descriptions are shown.
        let usual = "<p>Some <b>text</b> with <a href='http://x'>links</a>.</p>".repeat(30);
        assert!(safe_html(&around(&usual)).contains("<b>text</b>"));
    }
}
