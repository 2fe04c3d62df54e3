//! The arguments of a command: a JSON object whose keys are the documented names of parameters.

use serde_json::{Map, Value};

use super::database::{Reference, reference};
use super::failure::Failure;
use super::state::{figure, truth};

/// The arguments of one command.
#[derive(Debug, Clone, Default)]
pub struct Arguments(Map<String, Value>);

impl Arguments {
    /// Takes the JSON of a call.
    ///
    /// # Errors
    ///
    /// Anything but an object.
    pub fn new(value: Value) -> Result<Self, Failure> {
        match value {
            Value::Object(map) => Ok(Self(map)),
            Value::Null => Ok(Self::default()),
            _ => Err(Failure::wrong_type(
                "the arguments of a command are an object",
            )),
        }
    }

    /// An argument that was given and is not `None`.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Puts an argument in.
    pub fn put(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// Takes an argument out.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.0.shift_remove(name).filter(|value| !value.is_null())
    }

    /// The first of these names that was given.
    #[must_use]
    pub fn first(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.given(name))
    }

    /// The object that the command is about.
    ///
    /// # Errors
    ///
    /// The argument is missing, or its value names no object.
    pub fn subject(&self) -> Result<Reference, Failure> {
        let names = [
            "id", "elem", "device", "variable", "trigger", "schedule", "folder", "url",
        ];
        match self.first(&names) {
            Some(value) => reference(value),
            None => Err(Failure::wrong_type("the id of an object is missing")),
        }
    }

    /// Text, or nothing when it was not given.
    ///
    /// # Errors
    ///
    /// A value of another type.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Failure> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Failure::wrong_type(format!("{name} must be a str"))),
        }
    }

    /// Text that must be there.
    ///
    /// # Errors
    ///
    /// The argument is missing, or of another type.
    pub fn needed_text(&self, name: &str) -> Result<&str, Failure> {
        let text = self.text(name)?;
        text.ok_or_else(|| Failure::wrong_type(format!("{name} is missing")))
    }

    /// A truth value, or nothing when it was not given.
    ///
    /// # Errors
    ///
    /// A value that stands for no truth value.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.given(name) {
            None => Ok(None),
            Some(value) => match truth(value) {
                Some(value) => Ok(Some(value)),
                None => Err(Failure::wrong_type(format!("{name} must be a bool"))),
            },
        }
    }

    /// A number, or nothing when it was not given.
    ///
    /// # Errors
    ///
    /// A value that is no number.
    pub fn number(&self, name: &str) -> Result<Option<f64>, Failure> {
        match self.given(name) {
            None => Ok(None),
            Some(value) => match figure(value) {
                Some(value) => Ok(Some(value)),
                None => Err(Failure::wrong_type(format!("{name} must be a number"))),
            },
        }
    }

    /// A number that must be there.
    ///
    /// # Errors
    ///
    /// The argument is missing, or no number.
    pub fn needed_number(&self, name: &str) -> Result<f64, Failure> {
        let number = self.number(name)?;
        number.ok_or_else(|| Failure::wrong_type(format!("{name} is missing")))
    }

    /// A dictionary, or nothing when it was not given.
    ///
    /// # Errors
    ///
    /// A value of another type.
    pub fn dict(&self, name: &str) -> Result<Option<&Map<String, Value>>, Failure> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(_) => Err(Failure::wrong_type(format!("{name} must be a dict"))),
        }
    }

    /// A list, or an empty one when it was not given.
    ///
    /// # Errors
    ///
    /// A value of another type.
    pub fn list(&self, name: &str) -> Result<&[Value], Failure> {
        match self.given(name) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(Failure::wrong_type(format!("{name} must be a list"))),
        }
    }
}
