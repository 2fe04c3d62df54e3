//! The parameters of an API call.
//!
//! Bounded before anything is decoded. Of a name given twice the last value counts.

use std::collections::HashMap;

use axum::extract::Query as Decoded;
use axum::http::Uri;

/// Longest query string in bytes. Also bounds what a client can store in a device.
pub const MAX_QUERY: usize = 8192;

/// Decoded parameters by name.
#[derive(Debug, Default)]
pub struct Query {
    values: HashMap<String, String>,
}

impl Query {
    /// Reads the part of an address behind the question mark.
    ///
    /// # Errors
    ///
    /// The sentence about a query that is too long.
    pub fn parse(uri: &Uri) -> Result<Self, String> {
        let length = uri.query().map_or(0, str::len);
        if length > MAX_QUERY {
            return Err(format!(
                "the query has {length} bytes, {MAX_QUERY} are allowed"
            ));
        }
        let decoded = Decoded::<HashMap<String, String>>::try_from_uri(uri);
        let Decoded(values) = decoded.map_err(|error| error.to_string())?;
        Ok(Self { values })
    }

    /// Adds the fields of a form; they go before parameters of the same name.
    pub fn add(&mut self, form: HashMap<String, String>) {
        self.values.extend(form);
    }

    /// A query with these parameters.
    #[must_use]
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        let pairs = pairs.iter();
        let values = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self {
            values: values.collect(),
        }
    }

    /// A parameter that is there and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        let value = self.values.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }

    /// A parameter that is there, empty or not.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A number, where one is given.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        let parse = |text: &str| text.trim().parse();
        let number = self.text(name).map(parse).transpose();
        number.map_err(|_| format!("parameter `{name}` must be a number"))
    }

    /// A text that has to be given.
    pub fn needed(&self, name: &str) -> Result<&str, String> {
        let text = self.text(name);
        text.ok_or_else(|| format!("parameter `{name}` is missing"))
    }

    /// A number that has to be given.
    pub fn required<T: std::str::FromStr>(&self, name: &str) -> Result<T, String> {
        let number = self.number(name)?;
        number.ok_or_else(|| format!("parameter `{name}` is missing"))
    }

    /// `true`, `1` or `on`.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.text(name), Some("true" | "1" | "on"))
    }
}
