//! The status page: plugins with their state, and their devices.
//!
//! One HTML text without scripts or outside references. Every text in it may come
//! from a plugin, so every text is escaped.

use std::collections::BTreeMap;
use std::fmt::Write;

use futures_util::future::BoxFuture;

use crate::{DeviceError, DeviceTable, HardwareInfo, Row, kind};

use super::devices::Board;
use super::{names, sensor};
use cordon_web::html::escape;
use cordon_web::rows::{PIECE, Pieces};

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

/// The page, a few rows at a time.
pub(super) struct StatusPage {
    devices: DeviceTable,
    /// The part of the page above the plugins.
    head: Option<String>,
    plugins: std::vec::IntoIter<Section>,
    /// The plugin whose rows are being written.
    open: Option<Section>,
    /// Number of plugins, shown or not.
    count: usize,
}

/// A plugin with the ids of its rows that are shown and were not yet.
struct Section {
    info: HardwareInfo,
    ids: Vec<i64>,
    /// Number of the plugin's rows, shown or not.
    count: usize,
}

impl StatusPage {
    /// The page of these plugins and pages.
    ///
    /// # Errors
    /// [`DeviceError::Unavailable`].
    pub(super) async fn new(
        devices: &DeviceTable,
        board: &Board,
        mut hardware: Vec<HardwareInfo>,
        pages: &[String],
    ) -> Result<Self, DeviceError> {
        let rows = board.all().await?;
        let count = hardware.len();
        let mut head = String::from(HEAD);
        // Writing to a String cannot fail.
        let devices_count = rows.by_id().len();
        let _ = write!(head, "<p>{count} plugins, {devices_count} devices</p>");
        for name in pages {
            // Names of pages are letters, digits and a few signs that need no escape.
            let name = shown(name);
            let _ = write!(head, "<p><a href=\"templates/{name}\">{name}</a></p>");
        }
        hardware.truncate(PLUGINS);
        let mut by_hardware: BTreeMap<u32, (Vec<i64>, usize)> = BTreeMap::new();
        for info in &hardware {
            by_hardware.insert(info.id, Default::default());
        }
        for entry in rows.by_id() {
            if let Some((ids, count)) = by_hardware.get_mut(&entry.hardware) {
                *count = count.saturating_add(1);
                if ids.len() < SHOWN {
                    ids.push(entry.id);
                }
            }
        }
        let sections = hardware.into_iter().map(|info| {
            let (ids, count) = by_hardware.remove(&info.id).unwrap_or_default();
            Section { info, ids, count }
        });
        let sections: Vec<_> = sections.collect();
        Ok(Self {
            devices: devices.clone(),
            head: Some(head),
            plugins: sections.into_iter(),
            open: None,
            count,
        })
    }

    /// Adds the next rows of a plugin; those that cannot be read are left out.
    async fn rows(&self, piece: &mut String, section: &mut Section) {
        let some: Vec<_> = section
            .ids
            .iter()
            .take(DeviceTable::SHOWN)
            .copied()
            .collect();
        let asked = some.len();
        let (rows, done) = match self.devices.shown(some, i64::MAX).await {
            Ok(read) => read,
            Err(_) => (Vec::new(), asked),
        };
        for row in rows.iter().map(|shown| &shown.row) {
            let device = &row.device;
            let _ = write!(
                piece,
                "<tr><td>{}<td>{}<td>{}<td>{}<td>{}</tr>",
                device.id,
                shown(&device.name),
                shown(kind::of(device).name),
                shown(&shown_value(row)),
                shown(&device.last_update),
            );
        }
        section.ids.drain(..done.clamp(1, asked.max(1)).min(asked));
        if section.ids.is_empty() {
            piece.push_str("</table>");
            more(piece, section.count, SHOWN, "devices");
        }
    }
}

impl Pieces for StatusPage {
    fn fill<'a>(&'a mut self, piece: &'a mut String) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            piece.push_str(&self.head.take().unwrap_or_default());
            while piece.len() < PIECE {
                if let Some(mut section) = self.open.take() {
                    self.rows(piece, &mut section).await;
                    self.open = Some(section).filter(|section| !section.ids.is_empty());
                } else if let Some(section) = self.plugins.next() {
                    begin(piece, &section);
                    self.open = Some(section).filter(|section| !section.ids.is_empty());
                } else {
                    more(piece, self.count, PLUGINS, "plugins");
                    piece.push_str("</body></html>");
                    return false;
                }
            }
            true
        })
    }

    fn weight(&self) -> usize {
        let sections = self.plugins.as_slice().iter().map(|section| {
            let ids = size_of_val(section.ids.as_slice());
            let texts = section
                .info
                .name
                .len()
                .saturating_add(section.info.detail.len());
            size_of::<Section>()
                .saturating_add(ids)
                .saturating_add(texts)
        });
        sections.fold(
            self.head.as_ref().map_or(0, String::len),
            usize::saturating_add,
        )
    }
}

fn begin(piece: &mut String, section: &Section) {
    let info = &section.info;
    let (name, key) = (shown(&info.name), shown(&info.key));
    let (state, detail) = (shown(&info.state), shown(&info.detail));
    let _ = write!(
        piece,
        "<h2>{name} <small>{key}</small></h2><p><b>{state}</b> {detail}</p>"
    );
    piece.push_str(match section.ids.is_empty() {
        true => "<p>no devices</p>",
        false => "<table><tr><th>idx<th>Name<th>Type<th>Value<th>Last update</tr>",
    });
}

fn shown_value(row: &Row) -> String {
    let device = &row.device;
    if kind::is_switch(device) {
        return names::status(device, device.last_level);
    }
    let fields = sensor::fields(device, None);
    let data = fields.get("Data").and_then(|data| data.as_str());
    data.unwrap_or("").to_owned()
}

fn more(page: &mut String, all: usize, shown: usize, what: &str) {
    let left = all.saturating_sub(shown);
    if left > 0 {
        let _ = write!(page, "<p>and {left} more {what}</p>");
    }
}

/// Text as HTML, cut to the length that a row shows.
fn shown(text: &str) -> String {
    let end = text.floor_char_boundary(TEXT);
    escape(text.get(..end).unwrap_or_default())
}
