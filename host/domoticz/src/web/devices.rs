//! `getdevices`: device rows with the fields that Domoticz clients read.
//!
//! Rows are chosen and put in order by the facts that the [`board`] has about them. Their JSON was
//! made when they changed, and an answer is put together of it piece by piece.

mod board;
mod listing;
mod row;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Zoned;

use super::answer::Answer;
use super::commands::Call;
pub use board::Board;
pub(super) use board::Entry;
use cordon_web::query::Query;
pub(super) use listing::{Listed, Listing};
pub(super) use row::object;

/// Hardware type number of Python plugins (spec 1.4).
pub(super) const PLUGIN_HARDWARE: u32 = 94;

/// Ids that a request may name.
const MAX_IDS: usize = 100;

/// Carries `getdevices` out.
pub(super) async fn list(call: &Call<'_>) -> Result<Answer, String> {
    let (api, query) = (call.api, call.query);
    let wanted = Wanted::parse(query)?;
    let entries = match wanted.ids.as_deref() {
        Some([id]) => api
            .board
            .one(*id)
            .await
            .map(|entry| entry.into_iter().collect()),
        _ => api.board.all().await.map(|rows| {
            let rows = match query.text("order") {
                Some("LastUpdate") => rows.by_update(),
                Some("ID" | "idx") => rows.by_id().to_vec(),
                // `Name`, and Domoticz' own order, which is that of dashboards.
                _ => rows.by_name().to_vec(),
            };
            rows.into_iter()
                .filter(|row| wanted.includes(row))
                .collect()
        }),
    };
    let entries: Vec<Arc<Entry>> = entries.map_err(|error| error.to_string())?;
    let mut hardware = HashMap::new();
    for info in api.plugins.hardware() {
        if wanted.ids.is_none() || entries.iter().any(|entry| entry.hardware == info.id) {
            hardware.insert(info.id, row::hardware(Some(&info)));
        }
    }
    let now = Zoned::now();
    let answer = Answer::ok("Devices")
        .with("ActTime", now.timestamp().as_second())
        .with("ServerTime", now.strftime("%Y-%m-%d %H:%M:%S").to_string())
        .with("app_version", api.version.version.as_str());
    let listing = Listing::new(api.board.clone(), entries, hardware);
    Ok(match listing.is_empty() {
        true => answer,
        false => answer.with_rows(listing),
    })
}

/// Ids joined by commas.
fn ids(text: &str) -> Result<Vec<i64>, String> {
    if text.split(',').count() > MAX_IDS {
        return Err(format!("`rid` may have {MAX_IDS} numbers"));
    }
    let ids: Result<_, _> = text.split(',').map(|id| id.trim().parse()).collect();
    ids.map_err(|_| "parameter `rid` must be a number, or several joined by `,`".to_owned())
}

/// The rows that a client asks for.
struct Wanted {
    /// These and no others; nothing else chooses among them.
    ids: Option<Vec<i64>>,
    hardware: Option<u32>,
    /// There are no plans, so nothing is on one.
    plan: bool,
    used: Option<bool>,
    filter: String,
    favorites: bool,
    hidden: bool,
    since: i64,
}

impl Wanted {
    fn parse(query: &Query) -> Result<Self, String> {
        let used = match query.text("used") {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        Ok(Self {
            ids: query.text("rid").map(ids).transpose()?,
            hardware: query.number("hwidx")?,
            plan: query.number::<i64>("plan")?.is_some_and(|plan| plan > 0),
            used,
            filter: query.text("filter").unwrap_or("all").to_owned(),
            favorites: query.flag("favorite"),
            hidden: query.flag("displayhidden"),
            since: query.number("lastupdate")?.unwrap_or(0),
        })
    }

    fn includes(&self, row: &Entry) -> bool {
        if let Some(ids) = &self.ids {
            return ids.contains(&row.id);
        }
        let used = self.used.is_none_or(|used| used == row.used);
        let shown = self.hidden || !row.hidden;
        let recent = row.updated.as_second() >= self.since;
        let owned = self
            .hardware
            .is_none_or(|hardware| hardware == row.hardware);
        let liked = row.favorite || !self.favorites;
        used && shown && recent && owned && liked && !self.plan && self.has_kind(row)
    }

    fn has_kind(&self, row: &Entry) -> bool {
        match self.filter.as_str() {
            "light" | "lights" => row.switch,
            "temp" => row.temperature,
            "weather" => row.weather,
            "utility" => !row.temperature && !row.weather && !row.switch,
            _ => true,
        }
    }
}
