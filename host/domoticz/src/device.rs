//! The shapes of `wit/v0.1.0/devices.wit`, for the hub's own code.
//!
//! Names and meanings are those of the contract; only the integers that Rust needs
//! differ. Nothing here touches the store.

use super::calibration::Calibration;
use cordon_base::error::LimitHit;
use cordon_base::limits::Limits;
use cordon_store::StoreError;

/// One row of the device table, as a copy.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Device {
    /// Row id, unique in the hub, never used twice.
    pub id: i64,
    /// Unit number, 1 to 255.
    pub unit: u32,
    /// External id.
    pub device_id: String,
    /// Name as shown.
    pub name: String,
    /// Main type number.
    pub device_type: i64,
    /// Sub type number.
    pub sub_type: i64,
    /// Switch type number.
    pub switch_type: i64,
    /// Numeric value.
    pub n_value: i64,
    /// Text value.
    pub s_value: String,
    /// Radio signal level, 0 to 255; 12 means unknown.
    pub signal_level: i64,
    /// Battery level in percent; 255 means none.
    pub battery_level: i64,
    /// Last dim level, 0 to 100.
    pub last_level: i64,
    /// Custom image id, or 0.
    pub image: i64,
    /// 1 when the device is shown.
    pub used: i64,
    /// Free text of the user.
    pub description: String,
    /// Normalised colour JSON or empty.
    pub color: String,
    /// Options by key in alphabetical order, none with an empty value (rule 42).
    pub options: Vec<(String, String)>,
    /// Local time of the last update, `YYYY-MM-DD HH:MM:SS`.
    pub last_update: String,
    /// How a person corrects its readings. A change of the row leaves it as it is.
    pub calibration: Calibration,
}

impl Device {
    /// The value of an option, if it is set.
    #[must_use]
    pub fn option(&self, key: &str) -> Option<&str> {
        let mut options = self.options.iter();
        options
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// Whether an option has exactly the text `true`.
    #[must_use]
    pub fn option_is_true(&self, key: &str) -> bool {
        self.option(key) == Some("true")
    }
}

/// The values of a row that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewDevice {
    /// Unit number, 1 to 255.
    pub unit: u32,
    /// External id; empty asks for the default (rule 32).
    pub device_id: String,
    /// Name without the hardware's prefix.
    pub name: String,
    /// Whether `<hardware name> - ` goes before the name (legacy framework).
    pub prefix_name: bool,
    /// Main type number.
    pub device_type: i64,
    /// Sub type number.
    pub sub_type: i64,
    /// Switch type number.
    pub switch_type: i64,
    /// First numeric value.
    pub n_value: i64,
    /// First text value.
    pub s_value: String,
    /// Signal level.
    pub signal_level: i64,
    /// Battery level.
    pub battery_level: i64,
    /// Custom image id or 0.
    pub image: i64,
    /// 1 to show it.
    pub used: i64,
    /// Free text.
    pub description: String,
    /// Colour JSON or empty.
    pub color: String,
    /// Options; empty for none.
    pub options: Vec<(String, String)>,
}

/// A new reading.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ValueUpdate {
    /// New numeric value.
    pub n_value: i64,
    /// New text value.
    pub s_value: String,
    /// New signal level, reduced to eight bits.
    pub signal_level: i64,
    /// New battery level, reduced to eight bits.
    pub battery_level: i64,
}

/// The values that an update changes; `None` leaves a column as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// A new reading, with the rules of spec 4.5.
    pub value: Option<ValueUpdate>,
    /// Writes the values as they are, without those rules.
    pub silent_value: Option<ValueUpdate>,
    /// New name, stored as it is.
    pub name: Option<String>,
    /// New description.
    pub description: Option<String>,
    /// New main type.
    pub device_type: Option<i64>,
    /// New sub type.
    pub sub_type: Option<i64>,
    /// New switch type.
    pub switch_type: Option<i64>,
    /// New image id.
    pub image: Option<i64>,
    /// New signal level outside a reading.
    pub signal_level: Option<i64>,
    /// New battery level outside a reading.
    pub battery_level: Option<i64>,
    /// Shown or not.
    pub used: Option<i64>,
    /// New colour; text that is no colour clears it (rule 53).
    pub color: Option<String>,
    /// Replaces all options; an empty list clears them (rule 51).
    pub options: Option<Vec<(String, String)>>,
    /// The red banner; kept in memory only.
    pub timed_out: Option<i64>,
}

/// Why a row was not made, changed or removed; the store is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The unit number is outside 1 to 255.
    #[error("the unit number must be 1 to 255")]
    BadUnit,
    /// A row with this unit exists.
    #[error("a device with this unit exists")]
    Exists,
    /// No such row, or not of this hardware.
    #[error("there is no such device")]
    Missing,
    /// The preference `AcceptNewHardware` is 0.
    #[error("new devices are not accepted; set preference AcceptNewHardware to 1")]
    NotAccepting,
    /// A limit of the instance.
    #[error(transparent)]
    Limit(#[from] LimitHit),
    /// The store failed: for the hub's own log, not for a plugin.
    #[error("the store is not available: {0}")]
    Unavailable(#[from] StoreError),
}

impl From<rusqlite::Error> for DeviceError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

/// Bytes that a pair of options takes beside its texts.
const PAIR: usize = 64;

/// The limits that apply to the rows of one hardware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceLimits {
    /// Number of rows.
    pub devices: u64,
    /// Bytes of all rows together as they are stored.
    pub stored_bytes: u64,
    /// Bytes of one text of a row, and of all its options together.
    pub text: u64,
}

impl From<&Limits> for DeviceLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            devices: limits.devices,
            stored_bytes: limits.stored_bytes,
            text: limits.device_text,
        }
    }
}

impl DeviceLimits {
    /// Refuses a text that is too long before anything is made of it.
    fn texts<'a>(&self, texts: impl IntoIterator<Item = &'a String>) -> Result<(), LimitHit> {
        let longest = texts.into_iter().map(String::len).max().unwrap_or(0);
        self.bytes(longest)
    }

    fn options(&self, options: &[(String, String)]) -> Result<(), LimitHit> {
        // An empty pair costs as well: the memory that it takes once it is taken apart.
        let pair = |(key, value): &(String, String)| key.len() + value.len() + PAIR;
        self.bytes(options.iter().map(pair).sum())
    }

    fn bytes(&self, used: usize) -> Result<(), LimitHit> {
        let used = u64::try_from(used).unwrap_or(u64::MAX);
        if used <= self.text {
            return Ok(());
        }
        Err(Limits::hit("device-text", used, self.text))
    }
}

impl Device {
    /// Bytes that the row takes in memory.
    #[must_use]
    pub fn size(&self) -> u64 {
        let Self {
            device_id,
            name,
            s_value,
            description,
            color,
            last_update,
            ..
        } = self;
        let texts = [device_id, name, s_value, description, color, last_update];
        let texts = texts.into_iter().map(String::len);
        // A pair is two texts with places of their own.
        let pair = |(key, value): &(String, String)| {
            key.len()
                .saturating_add(value.len())
                .saturating_add(2 * PAIR)
        };
        let all = texts.chain(self.options.iter().map(pair));
        let all = all.fold(size_of::<Self>(), usize::saturating_add);
        u64::try_from(all).unwrap_or(u64::MAX)
    }
}

impl NewDevice {
    fn texts(&self) -> [&String; 5] {
        let Self {
            device_id,
            name,
            s_value,
            description,
            color,
            ..
        } = self;
        [device_id, name, s_value, description, color]
    }

    /// Whether the texts of the row are short enough.
    ///
    /// # Errors
    /// The limit `device-text`.
    pub fn check(&self, limits: DeviceLimits) -> Result<(), LimitHit> {
        limits.texts(self.texts())?;
        limits.options(&self.options)
    }

    /// Bytes that the hub holds for the new row until it is stored.
    #[must_use]
    pub fn cost(&self) -> u64 {
        cost(self.texts().into_iter(), &self.options)
    }
}

impl Change {
    fn texts(&self) -> impl Iterator<Item = &String> {
        let values = self.value.iter().chain(&self.silent_value);
        let texts = self.name.iter().chain(&self.description).chain(&self.color);
        texts.chain(values.map(|value| &value.s_value))
    }

    /// Whether the texts of the change are short enough.
    ///
    /// # Errors
    /// The limit `device-text`.
    pub fn check(&self, limits: DeviceLimits) -> Result<(), LimitHit> {
        limits.texts(self.texts())?;
        limits.options(self.options.as_deref().unwrap_or_default())
    }

    /// Bytes that the hub holds for the change until the row is stored.
    #[must_use]
    pub fn cost(&self) -> u64 {
        cost(self.texts(), self.options.as_deref().unwrap_or_default())
    }
}

/// The texts, the row with them before and after, and the options in their stored form.
fn cost<'a>(texts: impl Iterator<Item = &'a String>, options: &[(String, String)]) -> u64 {
    const COPIES: u64 = 4;
    const OPTION: usize = 128;
    let option = |(key, value): &(String, String)| {
        key.len().saturating_add(value.len()).saturating_add(OPTION)
    };
    let all = texts.map(String::len).chain(options.iter().map(option));
    let bytes = all.fold(0_usize, usize::saturating_add);
    u64::try_from(bytes)
        .unwrap_or(u64::MAX)
        .saturating_mul(COPIES)
}
