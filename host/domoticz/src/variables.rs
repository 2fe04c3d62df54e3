//! User variables: named values that people and scripts keep in the hub.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use rusqlite::{Connection, OptionalExtension};

use cordon_store::{Store, StoreError};
use cordon_web::access::Rights;

/// Most variables, longest name and longest value in bytes.
pub const MAX_VARIABLES: u32 = 1000;
/// How many of them are for admins alone, so that users cannot take the last one.
pub const FOR_ADMINS: u32 = 200;
const MAX_NAME: usize = 200;
const MAX_VALUE: usize = 4096;

/// The type of a variable's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// Any text.
    Text,
    /// `DD/MM/YYYY`.
    Date,
    /// `HH:MM`.
    Time,
}

impl Kind {
    /// The kind with the number that clients know; also by its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.trim() {
            "0" | "Integer" | "integer" => Self::Integer,
            "1" | "Float" | "float" => Self::Float,
            "2" | "String" | "string" => Self::Text,
            "3" | "Date" | "date" => Self::Date,
            "4" | "Time" | "time" => Self::Time,
            _ => return None,
        })
    }

    /// The number that clients know.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Integer => 0,
            Self::Float => 1,
            Self::Text => 2,
            Self::Date => 3,
            Self::Time => 4,
        }
    }

    fn holds(self, value: &str) -> bool {
        match self {
            Self::Integer => value.trim().parse::<i64>().is_ok(),
            Self::Float => value.trim().parse::<f64>().is_ok_and(f64::is_finite),
            Self::Text => true,
            Self::Date => Date::strptime("%d/%m/%Y", value).is_ok(),
            Self::Time => Time::strptime("%H:%M", value).is_ok(),
        }
    }
}

/// A variable as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Row id.
    pub id: i64,
    /// Unique name.
    pub name: String,
    /// Number of its [`Kind`].
    pub kind: i64,
    /// The value, which the kind can hold.
    pub value: String,
    /// Time when the variable was set last.
    pub updated: Timestamp,
}

/// The variables in a store. Clones share them.
#[derive(Debug, Clone)]
pub struct Variables {
    store: Store,
}

impl Variables {
    /// The variables in `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// All variables, by id; at most [`MAX_VARIABLES`].
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn all(&self) -> Result<Vec<Variable>, StoreError> {
        self.store
            .read(|connection| {
                let sql = "SELECT id, name, kind, value, updated FROM user_variables ORDER BY id";
                let mut statement = connection.prepare_cached(sql)?;
                let rows = statement.query_map([], |row| {
                    Ok(Variable {
                        id: row.get(0)?,
                        name: row.get(1)?,
                        kind: row.get(2)?,
                        value: row.get(3)?,
                        updated: Timestamp::from_millisecond(row.get(4)?).unwrap_or_default(),
                    })
                })?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Makes a variable for somebody with these rights; returns its id.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], with a text that says how to mend it; also when there are so many
    /// that the rest is for admins.
    pub async fn add(
        &self,
        name: &str,
        kind: Kind,
        value: &str,
        rights: Rights,
    ) -> Result<i64, StoreError> {
        let (name, value) = checked(name, kind, value)?;
        self.store
            .write(move |transaction| {
                let count: u32 =
                    transaction
                        .query_row("SELECT count(*) FROM user_variables", [], |row| row.get(0))?;
                if count >= MAX_VARIABLES {
                    return Err(conflict(format!(
                        "there are {MAX_VARIABLES} user variables already; delete one first"
                    )));
                }
                let for_all = MAX_VARIABLES.saturating_sub(FOR_ADMINS);
                if rights < Rights::Admin && count >= for_all {
                    return Err(conflict(format!(
                        "there are {count} user variables, and users may not make more than \
                         {for_all}; have an admin delete some, or make this one"
                    )));
                }
                if id_of(transaction, &name)?.is_some() {
                    return Err(conflict(format!(
                        "there is a user variable `{name}` already"
                    )));
                }
                let sql = "INSERT INTO user_variables (name, kind, value, updated)
                           VALUES (?1, ?2, ?3, ?4) RETURNING id";
                let now = Timestamp::now().as_millisecond();
                let values = (name, kind.number(), value, now);
                Ok(transaction.query_row(sql, values, |row| row.get(0))?)
            })
            .await
    }

    /// Changes the variable with this id, or with this name where `id` is `None`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], with a text that says how to mend it; also for a missing variable.
    pub async fn update(
        &self,
        id: Option<i64>,
        name: &str,
        kind: Kind,
        value: &str,
    ) -> Result<(), StoreError> {
        let (name, value) = checked(name, kind, value)?;
        self.store
            .write(move |transaction| {
                let named = id_of(transaction, &name)?;
                let Some(id) = id.or(named) else {
                    return Err(conflict(format!("there is no user variable `{name}`")));
                };
                if named.is_some_and(|named| named != id) {
                    return Err(conflict(format!(
                        "there is a user variable `{name}` already"
                    )));
                }
                let sql = "UPDATE user_variables SET name = ?2, kind = ?3, value = ?4, updated = ?5
                           WHERE id = ?1";
                let now = Timestamp::now().as_millisecond();
                let changed = transaction.execute(sql, (id, name, kind.number(), value, now))?;
                match changed {
                    0 => Err(conflict("no user variable has this idx".to_owned())),
                    _ => Ok(()),
                }
            })
            .await
    }

    /// Removes a variable.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there is none.
    pub async fn remove(&self, id: i64) -> Result<(), StoreError> {
        self.store
            .write(move |transaction| {
                match transaction.execute("DELETE FROM user_variables WHERE id = ?1", [id])? {
                    0 => Err(conflict("no user variable has this idx".to_owned())),
                    _ => Ok(()),
                }
            })
            .await
    }
}

fn checked(name: &str, kind: Kind, value: &str) -> Result<(String, String), StoreError> {
    if name.is_empty() || name.len() > MAX_NAME || value.len() > MAX_VALUE {
        return Err(conflict(format!(
            "a user variable needs a name of 1 to {MAX_NAME} bytes and a value of at most {MAX_VALUE}"
        )));
    }
    if !kind.holds(value) {
        let wanted = match kind {
            Kind::Integer => "a whole number",
            Kind::Float => "a number",
            Kind::Text => "a text",
            Kind::Date => "a date as DD/MM/YYYY",
            Kind::Time => "a time as HH:MM",
        };
        return Err(conflict(format!("the value must be {wanted}")));
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn id_of(connection: &Connection, name: &str) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id FROM user_variables WHERE name = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

fn conflict(text: String) -> StoreError {
    StoreError::Conflict(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn variables_hold_what_their_kind_can() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db"), &[crate::SCHEMA]).unwrap();
        let variables = Variables::new(store);
        let id = variables
            .add("n", Kind::Integer, "5", Rights::User)
            .await
            .unwrap();
        for (kind, good, bad) in [
            (Kind::Integer, "-3", "3.5"),
            (Kind::Float, "3.5", "nan"),
            (Kind::Date, "31/12/2024", "2024-12-31"),
            (Kind::Time, "23:59", "24:00"),
        ] {
            variables.update(Some(id), "n", kind, good).await.unwrap();
            assert!(
                variables.update(Some(id), "n", kind, bad).await.is_err(),
                "{bad}"
            );
        }
        assert!(
            variables
                .add("n", Kind::Text, "x", Rights::Admin)
                .await
                .is_err()
        );
        variables
            .update(None, "n", Kind::Text, "by name")
            .await
            .unwrap();
        assert!(variables.update(None, "m", Kind::Text, "").await.is_err());
        assert!(
            variables
                .update(Some(99), "m", Kind::Text, "")
                .await
                .is_err()
        );
        assert_eq!(variables.all().await.unwrap()[0].value, "by name");
        variables.remove(id).await.unwrap();
        assert!(variables.remove(id).await.is_err());
    }

    #[tokio::test]
    async fn their_number_and_size_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db"), &[crate::SCHEMA]).unwrap();
        let variables = Variables::new(store);
        let add = async |name: String, rights| variables.add(&name, Kind::Text, "", rights).await;
        let for_all = MAX_VARIABLES - FOR_ADMINS;
        for n in 0..for_all {
            add(n.to_string(), Rights::User).await.unwrap();
        }
        let refused = add("too many".to_owned(), Rights::User).await.unwrap_err();
        assert!(refused.to_string().contains("admin"), "{refused}");
        for n in for_all..MAX_VARIABLES {
            add(n.to_string(), Rights::Admin).await.unwrap();
        }
        let last = add("one too many".to_owned(), Rights::Admin).await;
        assert!(last.is_err());
        let long = "x".repeat(MAX_VALUE + 1);
        assert!(
            variables
                .update(None, "1", Kind::Text, &long)
                .await
                .is_err()
        );
        assert!(
            variables
                .add(&"n".repeat(MAX_NAME + 1), Kind::Text, "", Rights::Admin)
                .await
                .is_err()
        );
    }
}
