//! The status page: plugins with their state, and their devices.
//!
//! One HTML text without scripts or outside references. Every text in it may come
//! from a plugin, so every text is escaped.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::platform::domoticz::{HardwareInfo, Row, kind};

use super::{names, sensor};

/// Rows of one plugin that are shown; the API has them all.
const SHOWN: usize = 200;
/// Plugins that are shown.
const PLUGINS: usize = 200;

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <meta http-equiv=\"refresh\" content=\"5\"><title>Cordon</title><style>\
    body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
    color:#222;background:#fff}table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}\
    th,td{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #ccc;\
    overflow-wrap:anywhere}small{color:#555}@media(prefers-color-scheme:dark){\
    body{color:#ddd;background:#161616}th,td{border-color:#444}small{color:#aaa}}\
    </style></head><body><h1>Cordon</h1>";

/// The whole page.
pub(super) fn render(hardware: &[HardwareInfo], rows: &[Row], pages: &[String]) -> String {
    let mut by_hardware: BTreeMap<u32, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        by_hardware.entry(row.hardware).or_default().push(row);
    }
    let mut page = String::from(HEAD);
    // Writing to a String cannot fail.
    let _ = write!(
        page,
        "<p>{} plugins, {} devices</p>",
        hardware.len(),
        rows.len()
    );
    for name in pages {
        // Names of pages are letters, digits and a few signs that need no escape.
        let _ = write!(
            page,
            "<p><a href=\"templates/{0}\">{0}</a></p>",
            escape(name)
        );
    }
    for info in hardware.iter().take(PLUGINS) {
        let rows = by_hardware.get(&info.id).map_or(&[][..], Vec::as_slice);
        plugin(&mut page, info, rows);
    }
    more(&mut page, hardware.len(), PLUGINS, "plugins");
    page.push_str("</body></html>");
    page
}

fn plugin(page: &mut String, info: &HardwareInfo, rows: &[&Row]) {
    let (name, key) = (escape(&info.name), escape(&info.key));
    let (state, detail) = (escape(&info.state), escape(&info.detail));
    let _ = write!(
        page,
        "<h2>{name} <small>{key}</small></h2><p><b>{state}</b> {detail}</p>"
    );
    if rows.is_empty() {
        page.push_str("<p>no devices</p>");
        return;
    }
    page.push_str("<table><tr><th>idx<th>Name<th>Type<th>Value<th>Last update</tr>");
    for row in rows.iter().take(SHOWN) {
        let device = &row.device;
        let _ = write!(
            page,
            "<tr><td>{}<td>{}<td>{}<td>{}<td>{}</tr>",
            device.id,
            escape(&device.name),
            escape(names::sub(device)),
            escape(&shown_value(row)),
            escape(&device.last_update),
        );
    }
    page.push_str("</table>");
    more(page, rows.len(), SHOWN, "devices");
}

fn shown_value(row: &Row) -> String {
    let device = &row.device;
    if kind::is_switch(device) {
        return names::status(device, device.last_level);
    }
    let fields = sensor::fields(device);
    let data = fields.get("Data").and_then(|data| data.as_str());
    data.unwrap_or("").to_owned()
}

fn more(page: &mut String, all: usize, shown: usize, what: &str) {
    let left = all.saturating_sub(shown);
    if left > 0 {
        let _ = write!(page, "<p>and {left} more {what}</p>");
    }
}

/// Text as HTML.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
