//! The status page: plugins with their state, and their devices.
//!
//! One HTML text without scripts or outside references. Every text in it may come
//! from a plugin, so every text is escaped.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::platform::domoticz::{DeviceError, DeviceTable, HardwareInfo, Row, kind};

use super::devices::Board;
use super::{names, sensor};

/// Rows of one plugin that are shown; the API has them all.
const SHOWN: usize = 200;
/// Plugins that are shown.
const PLUGINS: usize = 200;
/// Characters of a text that are shown.
const TEXT: usize = 500;

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <meta http-equiv=\"refresh\" content=\"5\"><title>Cordon</title><style>\
    body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
    color:#222;background:#fff}table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}\
    th,td{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #ccc;\
    overflow-wrap:anywhere}small{color:#555}@media(prefers-color-scheme:dark){\
    body{color:#ddd;background:#161616}th,td{border-color:#444}small{color:#aaa}}\
    </style></head><body><h1>Cordon</h1>";

/// The whole page. Reads the rows that are shown, a few at a time.
///
/// # Errors
/// [`DeviceError::Unavailable`].
pub(super) async fn render(
    devices: &DeviceTable,
    board: &Board,
    hardware: &[HardwareInfo],
    pages: &[String],
) -> Result<String, DeviceError> {
    let mut by_hardware: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    let rows = board.all().await?;
    for entry in rows.by_id() {
        by_hardware
            .entry(entry.hardware)
            .or_default()
            .push(entry.id);
    }
    let mut page = String::from(HEAD);
    // Writing to a String cannot fail.
    let _ = write!(
        page,
        "<p>{} plugins, {} devices</p>",
        hardware.len(),
        rows.by_id().len()
    );
    for name in pages {
        // Names of pages are letters, digits and a few signs that need no escape.
        let _ = write!(
            page,
            "<p><a href=\"templates/{0}\">{0}</a></p>",
            shown(name)
        );
    }
    for info in hardware.iter().take(PLUGINS) {
        let ids = by_hardware.get(&info.id).map_or(&[][..], Vec::as_slice);
        plugin(&mut page, info, ids, devices).await?;
    }
    more(&mut page, hardware.len(), PLUGINS, "plugins");
    page.push_str("</body></html>");
    Ok(page)
}

async fn plugin(
    page: &mut String,
    info: &HardwareInfo,
    ids: &[i64],
    devices: &DeviceTable,
) -> Result<(), DeviceError> {
    let (name, key) = (shown(&info.name), shown(&info.key));
    let (state, detail) = (shown(&info.state), shown(&info.detail));
    let _ = write!(
        page,
        "<h2>{name} <small>{key}</small></h2><p><b>{state}</b> {detail}</p>"
    );
    if ids.is_empty() {
        page.push_str("<p>no devices</p>");
        return Ok(());
    }
    page.push_str("<table><tr><th>idx<th>Name<th>Type<th>Value<th>Last update</tr>");
    let mut rest = ids.get(..SHOWN.min(ids.len())).unwrap_or_default();
    while !rest.is_empty() {
        let some = rest.iter().take(DeviceTable::SHOWN).copied().collect();
        let (rows, done) = devices.shown(some, i64::MAX).await?;
        for row in rows.iter().map(|shown| &shown.row) {
            let device = &row.device;
            let _ = write!(
                page,
                "<tr><td>{}<td>{}<td>{}<td>{}<td>{}</tr>",
                device.id,
                shown(&device.name),
                shown(names::sub(device)),
                shown(&shown_value(row)),
                shown(&device.last_update),
            );
        }
        rest = rest.get(done.max(1)..).unwrap_or_default();
    }
    page.push_str("</table>");
    more(page, ids.len(), SHOWN, "devices");
    Ok(())
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

/// Text as HTML, cut to what a row shows.
fn shown(text: &str) -> String {
    let end = text.floor_char_boundary(TEXT);
    escape(text.get(..end).unwrap_or_default())
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
