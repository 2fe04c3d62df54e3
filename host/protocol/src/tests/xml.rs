//! Section 7.4: XML.

use proptest::prelude::*;

use super::*;

fn both(reads: &[&[u8]]) -> (Vec<Inbound>, Vec<Inbound>) {
    run("XML", reads)
}

#[test]
fn xml_elements_come_one_by_one_rule_115() {
    let text = b"<?xml version=\"1.0\"?><a>1</a>\n<b>2</b>\n";
    assert_eq!(both(&[text]), (bytes(&["<a>1</a>", "<b>2</b>"]), vec![]));
    let text = b"<?xml version='1.0'?><a><b>1</b></a>\r\n<c x=\"1\">2</c>";
    let expected = bytes(&["<a><b>1</b></a>", "<c x=\"1\">2</c>"]);
    assert_eq!(both(&[text]), (expected, vec![]));
}

#[test]
fn xml_needs_nothing_between_elements_rule_116() {
    let expected = bytes(&["<a>1</a>", "<b>2</b>"]);
    assert_eq!(both(&[b"<a>1</a><b>2</b>"]), (expected, vec![]));
}

#[test]
fn xml_drops_what_is_outside_and_joins_reads() {
    assert_eq!(both(&[b"junk<a>1", b"2</a>"]).0, bytes(&["<a>12</a>"]));
    let text = b"<!-- <x> --><!DOCTYPE d [<!ENTITY e '>'>]>5 < 6 </y><a/> tail";
    assert_eq!(both(&[text]), (bytes(&["<a/>"]), vec![]));
}

#[test]
fn xml_elements_without_content_are_whole() {
    let expected = bytes(&["<a/>", "<b x='/>'/>", "<c />"]);
    assert_eq!(both(&[b"<a/>\n<b x='/>'/><c />"]), (expected, vec![]));
}

#[test]
fn xml_elements_may_contain_their_own_name() {
    for text in [
        "<a><a>x</a></a>",
        "<a><ab></a>",
        "<a><a/><b><c></a >",
        "<a><!-- </a> --><![CDATA[</a>]]]></a>",
        "<a x='</a>'>1 < 2</a>",
        "<a><?p </a>?></a>",
    ] {
        assert_eq!(both(&[text.as_bytes()]), (bytes(&[text]), vec![]), "{text}");
    }
}

#[test]
fn xml_that_is_cut_short_comes_as_bytes_at_the_close() {
    assert_eq!(both(&[b"<a>1</a><b>2"]).1, bytes(&["<b>2"]));
    assert_eq!(both(&[b"<a>1</a> \r\n"]).1, vec![]);
}

#[test]
fn xml_stops_at_its_bound() {
    assert_eq!(limit_used(feed_error("XML", 10, b"<a>01234567890</a>")), 11);
    let mut codec = Codec::new("XML", 10);
    let mut out = Decoded::default();
    codec.feed(&[b'x'; 1000], &mut out).unwrap();
    codec.feed(b"<a>012</a><a>012</a>", &mut out).unwrap();
    assert_eq!(out.messages.len(), 2);
}

const XML: &[&str] = &[
    "<a>",
    "</a>",
    "<a/>",
    "<b>",
    "</b>",
    "<a x='",
    "'",
    "\"",
    ">",
    "<",
    "<!--",
    "-->",
    "-",
    "<![CDATA[",
    "]]>",
    "]",
    "<?xml ?>",
    "<!DOCTYPE a [",
    "text",
];

proptest! {
    #[test]
    fn xml_is_the_same_however_it_is_cut(all in pieces_of(XML), cuts in any::<[usize; 6]>()) {
        prop_assert_eq!(in_pieces("XML", &all, &cuts), in_pieces("XML", &all, &[]));
    }

    #[test]
    fn xml_that_was_written_whole_is_read_whole(texts in proptest::collection::vec("[a-z<>/]{0,9}", 1..6)) {
        let wrapped: Vec<String> = texts
            .iter()
            .map(|text| format!("<Root><![CDATA[{text}]]></Root>"))
            .collect();
        let (before, after) = both(&[wrapped.concat().as_bytes()]);
        let each: Vec<&str> = wrapped.iter().map(String::as_str).collect();
        prop_assert_eq!(before, bytes(&each));
        prop_assert!(after.is_empty());
    }
}
