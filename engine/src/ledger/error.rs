//! What can go wrong with the ledger, and the way out.

use datafusion::common::DataFusionError;
use deltalake::DeltaTableError;

/// An error of the ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A place that cannot be reached.
    #[error("The ledger cannot be reached: {reason}. Check [ledger] in weir.toml, the network, and the keys in the environment.")]
    Place {
        /// Why, without a period.
        reason: String,
    },
    /// A name that no table can have.
    #[error("\"{table}\" is not a name for a ledger table. Use letters, digits, _ and -.")]
    Name {
        /// The name.
        table: String,
    },
    /// A table that does not exist.
    #[error("The ledger has no table \"{table}\". `weir ledger tables` lists them.")]
    Missing {
        /// The name.
        table: String,
    },
    /// A version that a table does not have.
    #[error("The ledger table \"{table}\" has no version {version}: the newest is {newest}.")]
    NoVersion {
        /// The name.
        table: String,
        /// The version asked for.
        version: u64,
        /// The newest.
        newest: u64,
    },
    /// A time before a table's first version.
    #[error("The ledger table \"{table}\" was not there yet: its first version is of {first}.")]
    Before {
        /// The name.
        table: String,
        /// The time of its first version.
        first: String,
    },
    /// A column whose type is not the table's.
    #[error(
        "Column \"{column}\" of the ledger table \"{table}\" is {there}, and the rows have {here}. Convert it with a select step, or load another column."
    )]
    Type {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The type in the table.
        there: String,
        /// The type in the load.
        here: String,
    },
    /// A change of a history before a day of which it speaks already.
    #[error(
        "The history \"{table}\" speaks already of {day} for {key}, which cannot change from {from}. Load it from {day} or a later day."
    )]
    Past {
        /// The table.
        table: String,
        /// The key, with its columns.
        key: String,
        /// The last day of which the history speaks.
        day: String,
        /// The day from which the load holds.
        from: String,
    },
    /// Keys that do not tell the rows of a load apart.
    #[error("The rows to load into \"{table}\" have the key {key} more than once. Aggregate or unique them first.")]
    DoubleKey {
        /// The table.
        table: String,
        /// The key.
        key: String,
    },
    /// A key with an empty value.
    #[error("A row to load into \"{table}\" has an empty value in its key. Fill it, or filter such rows out.")]
    EmptyKey {
        /// The table.
        table: String,
    },
    /// What the store said.
    #[error("The ledger table \"{table}\" cannot be used: {reason}.")]
    Store {
        /// The table.
        table: String,
        /// In its words.
        reason: String,
    },
}

impl LedgerError {
    pub(super) fn delta(table: &str, error: DeltaTableError) -> Self {
        Self::Store { table: table.to_owned(), reason: error.to_string() }
    }

    pub(super) fn read(table: &str, error: &DataFusionError) -> Self {
        Self::Store { table: table.to_owned(), reason: error.strip_backtrace() }
    }

    pub(super) fn io(table: &str, error: &std::io::Error) -> Self {
        Self::Store { table: table.to_owned(), reason: error.to_string() }
    }
}

impl From<LedgerError> for weir_nodes::Problem {
    fn from(error: LedgerError) -> Self {
        Self::error(error.to_string())
    }
}
