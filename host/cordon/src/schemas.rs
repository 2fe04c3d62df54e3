//! The tables of the database: those of each framework, beside the store's own.

use cordon_store::Schema;

/// The tables of all crates, in the order in which steps of one version are applied.
pub const SCHEMAS: &[Schema] = &[cordon_domoticz::SCHEMA, cordon_indigo::SCHEMA];

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::{Path, PathBuf};

    use cordon_store::Store;
    use rusqlite::Connection;
    use rusqlite::types::Value;

    use super::*;

    /// Tables by name, each with its rows.
    type Rows = BTreeMap<String, Vec<Vec<Value>>>;

    /// Makes the database of a file of SQL.
    fn database(folder: &Path, sql: &str) -> PathBuf {
        let path = folder.join("cordon.db");
        let connection = Connection::open(&path).unwrap();
        // Tables come by name, and some refer to later ones.
        connection
            .pragma_update(None, "foreign_keys", false)
            .unwrap();
        connection.execute_batch(sql).unwrap();
        connection.close().unwrap();
        path
    }

    async fn upgrade(path: &Path) {
        Store::open(path, SCHEMAS).unwrap().close().await;
    }

    /// The version, and the statements that make each table and index, without their blanks.
    fn made_of(path: &Path) -> (i64, BTreeSet<String>) {
        let connection = Connection::open(path).unwrap();
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
        let sql = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL";
        let mut statement = connection.prepare(sql).unwrap();
        let statements = statement
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap()
            .map(|sql| sql.unwrap().split_whitespace().collect())
            .collect();
        (version.unwrap(), statements)
    }

    /// All rows, but for the generation, which every opening renews.
    fn rows(path: &Path) -> Rows {
        let connection = Connection::open(path).unwrap();
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'run'";
        let mut statement = connection.prepare(sql).unwrap();
        let names = statement.query_map([], |row| row.get::<_, String>(0));
        let names: Vec<_> = names.unwrap().map(Result::unwrap).collect();
        let of = |name: String| {
            let mut statement = connection
                .prepare(&format!("SELECT * FROM {name} ORDER BY 1"))
                .unwrap();
            let columns = statement.column_count();
            let found: Vec<Vec<Value>> = statement
                .query_map([], |row| {
                    (0..columns).map(|n| row.get::<_, Value>(n)).collect()
                })
                .unwrap()
                .map(Result::unwrap)
                .collect();
            (name, found)
        };
        names.into_iter().map(of).collect()
    }

    /// A database that the present program makes by itself.
    async fn fresh() -> (i64, BTreeSet<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cordon.db");
        upgrade(&path).await;
        made_of(&path)
    }

    #[tokio::test]
    async fn a_database_of_the_seventh_version_keeps_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = database(folder.path(), include_str!("schemas/version-7.sql"));
        let before = rows(&path);
        assert!(before.values().all(|rows| !rows.is_empty()), "{before:?}");
        upgrade(&path).await;
        let mut after = rows(&path);
        assert_eq!(after.remove("decisions"), Some(Vec::new()));
        assert_eq!(after, before);
        assert_eq!(made_of(&path), fresh().await);
    }

    #[tokio::test]
    async fn a_database_of_the_second_version_keeps_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = database(folder.path(), include_str!("schemas/version-2.sql"));
        let before = rows(&path);
        upgrade(&path).await;
        let after = rows(&path);
        let (version, statements) = made_of(&path);
        let (newest, wanted) = fresh().await;
        assert_eq!(version, newest);
        assert_eq!(statements, wanted);
        for table in [
            "hardware",
            "devices",
            "configuration",
            "preferences",
            "notifications",
        ] {
            assert_eq!(after.get(table), before.get(table), "{table}");
        }
        // Icons have the plugin of their base's beginning, and no number comes a second time.
        let sets: Vec<_> = after["icon_sets"]
            .iter()
            .map(|row| row[..3].to_vec())
            .collect();
        let set = |id: i64, owner: &str, base: &str| {
            vec![id.into(), owner.to_owned().into(), base.to_owned().into()]
        };
        let expected: [Vec<Value>; 2] = [
            set(101, "LampPlugin", "LampPluginBulb"),
            set(103, "", "Other"),
        ];
        assert_eq!(sets, expected);
        let last = ["icon_sets".to_owned().into(), Value::Integer(104)];
        assert!(after["sqlite_sequence"].iter().any(|row| row[..] == last));
    }

    /// A number without a step, or a table of two crates, would be a step that some database lacks.
    #[test]
    fn versions_have_no_gap_and_tables_one_owner() {
        let mut versions = BTreeSet::new();
        let mut tables = BTreeMap::new();
        for schema in std::iter::once(&cordon_store::SCHEMA).chain(SCHEMAS) {
            assert!(
                schema.steps.is_sorted_by_key(|step| step.version),
                "{}",
                schema.owner
            );
            versions.extend(schema.steps.iter().map(|step| step.version));
            let made = schema
                .steps
                .iter()
                .flat_map(|step| step.sql.split("CREATE TABLE ").skip(1));
            for name in made.filter_map(|rest| rest.split_whitespace().next()) {
                assert_eq!(
                    tables.insert(name, schema.owner),
                    None,
                    "{name} is made twice"
                );
            }
        }
        let newest = *versions.last().unwrap();
        assert_eq!(versions, (1..=newest).collect());
        assert_eq!(tables.get("indigo_objects"), Some(&"indigo"));
    }
}
