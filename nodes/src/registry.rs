//! Every kind there is. Adding one is its file and one line here.

use std::sync::LazyLock;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::example::Example;
use crate::kind::{Host, Identity, NodeKind, Planned, Planning, Ports, Structure};
use crate::problem::Problem;

/// A step: one kind with its parameters.
pub trait Step: std::fmt::Debug + Send + Sync {
    /// See [`NodeKind::ports`].
    fn ports(&self) -> Ports;
    /// See [`NodeKind::structure`].
    fn structure(&self, host: &dyn Host) -> Result<Structure, Problem>;
    /// See [`NodeKind::plan`].
    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned>;
}

impl<K: NodeKind> Step for K {
    fn ports(&self) -> Ports {
        NodeKind::ports(self)
    }

    fn structure(&self, host: &dyn Host) -> Result<Structure, Problem> {
        NodeKind::structure(self, host)
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        NodeKind::plan(self, cx)
    }
}

/// A kind without its parameters: what palettes, forms, help and schemas are derived from.
#[derive(Debug)]
pub struct Kind {
    /// What it is called and what it is for.
    pub identity: Identity,
    /// The JSON schema of its parameters; doc comments are the help texts.
    pub schema: Value,
    /// Its examples.
    pub examples: fn() -> Vec<Example>,
    parse: fn(&Value) -> Result<Box<dyn Step>, String>,
}

impl Kind {
    fn of<K: NodeKind>() -> Self {
        let schema = SchemaGenerator::new(SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true)).into_root_schema_for::<K>();
        Self {
            identity: K::identity(),
            schema: schema.to_value(),
            examples: K::examples,
            parse: |params| match serde_json::from_value::<K>(params.clone()) {
                Ok(step) => Ok(Box::new(step)),
                Err(error) => Err(error.to_string()),
            },
        }
    }

    /// The names of its parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.schema.get("properties").and_then(Value::as_object).into_iter().flat_map(|map| map.keys().map(String::as_str))
    }

    /// The parameters of a new step: what must be there, empty.
    pub fn blank(&self) -> Value {
        let properties = self.schema.get("properties").and_then(Value::as_object);
        let required = self.schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let empty = |name: &str| empty_value(properties.and_then(|all| all.get(name)).unwrap_or(&Value::Null));
        Value::Object(required.map(|name| (name.to_owned(), empty(name))).collect())
    }

    /// The ports of a step with these parameters; those of a new step where they do not fit yet.
    pub fn ports(&self, params: &Value) -> Ports {
        let parsed = (self.parse)(params).or_else(|_| (self.parse)(&self.blank()));
        let example = || (self.examples)().first().and_then(|example| (self.parse)(&example.params).ok());
        parsed.ok().or_else(example).map_or_else(Ports::through, |step| step.ports())
    }

    /// The step these parameters make, with a warning for each parameter it does not know.
    pub fn step(&self, params: &Value) -> (Option<Box<dyn Step>>, Vec<Problem>) {
        let mut problems = Vec::new();
        if let Some(map) = params.as_object() {
            for name in map.keys().filter(|name| !self.parameters().any(|known| known == *name)) {
                problems.push(
                    Problem::warning(format!("Parameter \"{name}\" means nothing to \"{}\".", self.identity.id)).on(name).help(
                        crate::problem::did_you_mean(name, self.parameters())
                            .unwrap_or_else(|| format!("Its parameters are: {}.", self.parameters().collect::<Vec<_>>().join(", "))),
                    ),
                );
            }
        }
        match (self.parse)(params) {
            Ok(step) => (Some(step), problems),
            Err(error) => {
                problems.push(
                    Problem::error(format!("The parameters do not fit \"{}\": {error}.", self.identity.id))
                        .help(format!("`weir nodes {}` shows them with examples.", self.identity.id)),
                );
                (None, problems)
            }
        }
    }
}

/// The emptiest value a schema allows: what a form starts from.
pub fn empty_value(schema: &Value) -> Value {
    if let Some(default) = schema.get("default") {
        return default.clone();
    }
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(first) = schema.get(choice).and_then(Value::as_array).and_then(|choices| choices.first()) {
            return empty_value(first);
        }
    }
    if let Some(first) = schema.get("enum").and_then(Value::as_array).and_then(|values| values.first()) {
        return first.clone();
    }
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        // `["string", "null"]`: absent is allowed.
        Some(Value::Array(_)) => return Value::Null,
        _ => "object",
    };
    match kind {
        "string" => Value::String(String::new()),
        "array" => Value::Array(vec![]),
        "boolean" => Value::Bool(false),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| Value::from(0)),
        _ => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            let empty = |name: &str| properties.and_then(|all| all.get(name)).map_or(Value::Null, empty_value);
            Value::Object(required.map(|name| (name.to_owned(), empty(name))).collect())
        }
    }
}

static REGISTRY: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    vec![
        Kind::of::<crate::input::csv::CsvInput>(),
        Kind::of::<crate::input::contract::ContractInput>(),
        Kind::of::<crate::input::excel::ExcelInput>(),
        Kind::of::<crate::input::parquet::ParquetInput>(),
        Kind::of::<crate::input::inline::InlineInput>(),
        Kind::of::<crate::input::json::JsonInput>(),
        Kind::of::<crate::input::xml::XmlInput>(),
        Kind::of::<crate::input::pdf::PdfInput>(),
        Kind::of::<crate::input::fixed_width::FixedWidthInput>(),
        Kind::of::<crate::input::arrow::ArrowInput>(),
        Kind::of::<crate::input::directory::Folder>(),
        Kind::of::<crate::input::directory::Directory>(),
        Kind::of::<crate::input::database::DatabaseInput>(),
        Kind::of::<crate::input::http::HttpInput>(),
        Kind::of::<crate::input::lake::LedgerInput>(),
        Kind::of::<crate::input::lake::DeltaInput>(),
        Kind::of::<crate::input::sequence::Sequence>(),
        Kind::of::<crate::input::sequence::Calendar>(),
        Kind::of::<crate::flow::ports::WorkflowInput>(),
        Kind::of::<crate::filter::filter::Filter>(),
        Kind::of::<crate::filter::select::Select>(),
        Kind::of::<crate::filter::sort::Sort>(),
        Kind::of::<crate::filter::unique::Unique>(),
        Kind::of::<crate::filter::row_number::RowNumber>(),
        Kind::of::<crate::filter::sample::Sample>(),
        Kind::of::<crate::filter::cleanse::Cleanse>(),
        Kind::of::<crate::filter::fill::Fill>(),
        Kind::of::<crate::filter::replace::Replace>(),
        Kind::of::<crate::filter::headers::Headers>(),
        Kind::of::<crate::filter::drop_empty::DropEmpty>(),
        Kind::of::<crate::filter::mask::Mask>(),
        Kind::of::<crate::filter::gaps::Gaps>(),
        Kind::of::<crate::filter::detect_types::DetectTypes>(),
        Kind::of::<crate::join::join::Join>(),
        Kind::of::<crate::join::lookup::Lookup>(),
        Kind::of::<crate::join::union::Union>(),
        Kind::of::<crate::join::many::JoinMany>(),
        Kind::of::<crate::join::as_of::AsOf>(),
        Kind::of::<crate::join::range::Range>(),
        Kind::of::<crate::join::fuzzy::Fuzzy>(),
        Kind::of::<crate::join::append::Append>(),
        Kind::of::<crate::join::compare::Compare>(),
        Kind::of::<crate::mapping::mapping::Mapping>(),
        Kind::of::<crate::mapping::rules::Rules>(),
        Kind::of::<crate::mapping::standardise::Standardise>(),
        Kind::of::<crate::mapping::hierarchy::Hierarchy>(),
        Kind::of::<crate::mapping::currency::Currency>(),
        Kind::of::<crate::mapping::fiscal::Fiscal>(),
        Kind::of::<crate::mapping::units::Units>(),
        Kind::of::<crate::control::expect::Expect>(),
        Kind::of::<crate::control::reconcile::Reconcile>(),
        Kind::of::<crate::control::balance::Balance>(),
        Kind::of::<crate::control::unique_key::UniqueKey>(),
        Kind::of::<crate::control::references::References>(),
        Kind::of::<crate::control::completeness::Completeness>(),
        Kind::of::<crate::control::volume::Volume>(),
        Kind::of::<crate::control::budget::Budget>(),
        Kind::of::<crate::control::freshness::Freshness>(),
        Kind::of::<crate::control::schema::SchemaControl>(),
        Kind::of::<crate::control::outliers::Outliers>(),
        Kind::of::<crate::calc::formula::FormulaStep>(),
        Kind::of::<crate::calc::aggregate::Aggregate>(),
        Kind::of::<crate::calc::multi_row::MultiRow>(),
        Kind::of::<crate::calc::multi_row::Difference>(),
        Kind::of::<crate::calc::running::Running>(),
        Kind::of::<crate::calc::running::Moving>(),
        Kind::of::<crate::calc::rank::Rank>(),
        Kind::of::<crate::calc::share::Share>(),
        Kind::of::<crate::calc::tiers::Tiers>(),
        Kind::of::<crate::calc::allocate::Allocate>(),
        Kind::of::<crate::calc::bin::Bin>(),
        Kind::of::<crate::calc::split::Split>(),
        Kind::of::<crate::calc::parse::Parse>(),
        Kind::of::<crate::calc::date_parts::DateParts>(),
        Kind::of::<crate::calc::pivot::Pivot>(),
        Kind::of::<crate::calc::unpivot::Unpivot>(),
        Kind::of::<crate::calc::describe::Describe>(),
        Kind::of::<crate::calc::across::Across>(),
        Kind::of::<crate::calc::forecast::Forecast>(),
        Kind::of::<crate::calc::sql::Sql>(),
        Kind::of::<crate::flow::nested::WorkflowStep>(),
        Kind::of::<crate::flow::nested::ForEach>(),
        Kind::of::<crate::load::csv::CsvLoad>(),
        Kind::of::<crate::load::excel::ExcelLoad>(),
        Kind::of::<crate::load::parquet::ParquetLoad>(),
        Kind::of::<crate::load::delta::DeltaLoad>(),
        Kind::of::<crate::load::json::JsonLoad>(),
        Kind::of::<crate::load::arrow::ArrowLoad>(),
        Kind::of::<crate::load::journal::JournalLoad>(),
        Kind::of::<crate::load::database::DatabaseLoad>(),
        Kind::of::<crate::load::http::HttpLoad>(),
        Kind::of::<crate::load::ledger::LedgerLoad>(),
        Kind::of::<crate::flow::ports::WorkflowOutput>(),
    ]
});

/// Every kind, in the order of the palette.
pub fn registry() -> &'static [Kind] {
    &REGISTRY
}

/// The kind with this id.
pub fn find(id: &str) -> Option<&'static Kind> {
    registry().iter().find(|kind| kind.identity.id == id)
}
