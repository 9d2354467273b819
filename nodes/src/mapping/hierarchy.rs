//! `hierarchy`: from parents and children to levels, paths and totals of everything below.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{Decimal128Type, Field, Int64Type};
use datafusion::scalar::ScalarValue;

use crate::prelude::*;
use crate::types::MAX_DIGITS;
use crate::whole::whole;

/// Lays out a hierarchy.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Hierarchy {
    /// The column that names a member.
    pub member: Column,
    /// The column that names its parent; empty at the top.
    pub parent: Column,
    /// How many levels become columns: `level_1` is the top.
    #[serde(default = "four")]
    #[schemars(range(min = 1, max = 50))]
    pub levels: u32,
    /// The figure to add up over each member and everything below it, into `rolled_up`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<Column>,
    /// What stands between the members of a path.
    #[serde(default = "slash")]
    pub separator: String,
    /// What happens when a parent is missing, a member comes twice, or members are in a circle. Such rows leave apart.
    #[serde(default)]
    pub severity: Severity,
}

fn four() -> u32 {
    4
}

fn slash() -> String {
    " / ".into()
}

/// What is found out of each row.
#[derive(Debug, Clone, Default)]
struct Place {
    /// The rows from the top down to this one; empty where something is wrong.
    path: Vec<usize>,
    /// What is wrong.
    reason: Option<&'static str>,
}

impl NodeKind for Hierarchy {
    fn identity() -> Identity {
        Identity {
            id: "hierarchy",
            version: 1,
            category: Category::Mapping,
            icon: "account_tree",
            title: Words { en: "Hierarchy", fr: "Hiérarchie" },
            summary: Words {
                en: "Turns parents and children into levels, paths and rolled-up totals; circles and missing parents leave apart.",
                fr: "Transforme parents et enfants en niveaux, chemins et totaux consolidés ; boucles et parents manquants partent à part.",
            },
            synonyms: &[
                "parent child",
                "org chart",
                "roll up",
                "chart of accounts",
                "bill of materials",
                "organigramme",
                "arborescence",
                "nomenclature",
            ],
            order: Words { en: "Rows stay in their order on both ports.", fr: "Les lignes restent dans leur ordre aux deux sorties." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::split([OUT, EXCEPTIONS])
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        cx.column(&self.member, &table, "member");
        cx.column(&self.parent, &table, "parent");
        let figure_type = match &self.figure {
            None => None,
            Some(figure) => {
                let exact = |kind| matches!(kind, ColumnType::Integer | ColumnType::Decimal(_));
                cx.fitting(&Columns(vec![figure.clone()]), &table, "figure", "an exact number", exact);
                table.type_of(&figure.0).cloned()
            }
        };
        if !(1..=50).contains(&self.levels) {
            cx.problem(Problem::error("There are 1 to 50 levels.").on("levels").help("Give a number from 1 to 50."));
        }
        let mut made: Vec<(String, DataType)> = (1..=self.levels.min(50)).map(|i| (format!("level_{i}"), DataType::Utf8View)).collect();
        made.extend([("depth".to_owned(), DataType::Int64), ("path".to_owned(), DataType::Utf8View)]);
        if let Some(found) = &figure_type {
            let places = if let DataType::Decimal128(_, places) = found { *places } else { 0 };
            let sum = if *found == DataType::Int64 { DataType::Int64 } else { DataType::Decimal128(MAX_DIGITS, places) };
            made.push(("rolled_up".to_owned(), sum));
        }
        for (name, _) in &made {
            cx.new_name(&NewColumn(name.clone()), table.has(name), "levels");
        }
        if cx.failed() {
            return None;
        }
        let wrong = hidden(&format!("{}.wrong", cx.node()));
        let mut fields: Vec<Field> = table.fields().map(|field| Field::clone(field).with_nullable(true)).collect();
        fields.extend(made.iter().map(|(name, data_type)| Field::new(name, data_type.clone(), true)));
        fields.push(Field::new(&wrong, DataType::Utf8View, true));
        let schema = Arc::new(arrow::datatypes::Schema::new(fields.clone()));
        let step = self.clone();
        let laid_out = whole(cx.node(), &[&table], fields, move |tables| {
            let [rows] = tables else { return Err("a table is missing".into()) };
            let mut columns = rows.columns().to_vec();
            columns.extend(step.columns(rows)?);
            RecordBatch::try_new(Arc::clone(&schema), columns).map_err(|error| error.to_string())
        });
        let laid_out = cx.planned(laid_out)?;
        let original = table.columns();
        let mut shown = original.clone();
        shown.extend(made.iter().map(|(name, _)| (name.clone(), column(name))));
        let mut with_reason = original;
        with_reason.push((REASON.into(), column(&wrong)));
        let mut flow = Flow::split(laid_out, column(&wrong).is_null(), "out", EXCEPTIONS.name);
        flow.outlets[0].columns = Some(shown);
        flow.outlets[1].columns = Some(with_reason);
        Some(Planned::flow(flow).check(Check::empty(
            format!("Every {} has its place in the hierarchy", self.member.0),
            self.severity,
            EXCEPTIONS.name,
        )))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "Levels, paths and totals of everything below.",
                json!({ "member": "id", "parent": "of", "levels": 2, "figure": "n" }),
            )
            .input("in", "id,of,n:decimal(2)\nB,A,2.00\nA,,1.00\nC,B,4.00\nD,,")
            .output(
                "out",
                "id,of,n:decimal(2),level_1,level_2,depth:integer,path,rolled_up:decimal(2)\nB,A,2.00,A,B,2,A / B,6.00\nA,,1.00,A,,1,A,7.00\nC,B,4.00,A,B,3,A / B / C,4.00\nD,,,D,,1,D,0.00",
            ),
            Example::new("Circles, missing parents and members that come twice leave apart.", json!({ "member": "id", "parent": "of", "levels": 1 }))
                .input("in", "id,of\nA,B\nB,A\nC,Z\nD,\nE,D\nE,\nF,C")
                .output("out", "id,of,level_1,depth:integer,path\nD,,D,1,D\nE,D,D,2,D / E")
                .output("exceptions", "id,of,reason\nA,B,in a circle\nB,A,in a circle\nC,Z,its parent is missing\nE,,comes twice\nF,C,its parent is missing"),
            Example::new("A table without rows.", json!({ "member": "id", "parent": "of", "levels": 1 }))
                .input("in", "id:integer,of:integer")
                .output("out", "id:integer,of:integer,level_1,depth:integer,path"),
            Example::new("There are levels.", json!({ "member": "id", "parent": "of", "levels": 0 })).input("in", "id,of\nA,").refused("1 to 50 levels"),
        ]
    }
}

impl Hierarchy {
    /// The columns that are made, and what is wrong.
    fn columns(&self, rows: &RecordBatch) -> Result<Vec<ArrayRef>, String> {
        let members = texts(rows, &self.member.0)?;
        let parents = texts(rows, &self.parent.0)?;
        let places = places(&members, &parents);
        let name = |row: usize| members[row].as_deref().unwrap_or_default();
        let mut columns: Vec<ArrayRef> = Vec::new();
        for level in 0..self.levels as usize {
            let values = places.iter().map(|place| place.path.get(level).map(|row| name(*row)));
            columns.push(Arc::new(values.collect::<StringViewArray>()));
        }
        let depth = places.iter().map(|place| Some(place.path.len() as i64).filter(|depth| *depth > 0));
        columns.push(Arc::new(depth.collect::<Int64Array>()));
        let path = |place: &Place| place.path.iter().map(|row| name(*row)).collect::<Vec<_>>().join(&self.separator);
        let paths = places.iter().map(|place| (!place.path.is_empty()).then(|| path(place)));
        columns.push(Arc::new(paths.collect::<StringViewArray>()));
        if let Some(figure) = &self.figure {
            columns.push(rolled_up(rows.column_by_name(&figure.0).ok_or("a column is missing")?, &places)?);
        }
        columns.push(Arc::new(places.iter().map(|place| place.reason).collect::<StringViewArray>()));
        Ok(columns)
    }
}

fn texts(rows: &RecordBatch, name: &str) -> Result<Vec<Option<String>>, String> {
    let values = rows.column_by_name(name).ok_or("a column is missing")?;
    let values = arrow::compute::cast(values, &DataType::Utf8View).map_err(|error| error.to_string())?;
    let values = values.as_any().downcast_ref::<StringViewArray>().ok_or("a column is not text")?;
    Ok(values.iter().map(|text| text.map(str::to_owned)).collect())
}

/// Where each row stands.
fn places(members: &[Option<String>], parents: &[Option<String>]) -> Vec<Place> {
    let mut rows: HashMap<&str, usize> = HashMap::new();
    let mut places: Vec<Place> = vec![Place::default(); members.len()];
    for (row, member) in members.iter().enumerate() {
        match member.as_deref() {
            None => places[row].reason = Some("has no name"),
            Some(member) if rows.contains_key(member) => places[row].reason = Some("comes twice"),
            Some(member) => {
                rows.insert(member, row);
            }
        }
    }
    for row in 0..members.len() {
        // Up to a row whose place is known, then down again.
        let mut trail = Vec::new();
        let mut at = row;
        let top = loop {
            if !places[at].path.is_empty() || places[at].reason.is_some() {
                break Some(at);
            }
            if trail.contains(&at) {
                trail.iter().for_each(|row: &usize| places[*row].reason = Some("in a circle"));
                trail.clear();
                break None;
            }
            trail.push(at);
            match parents[at].as_deref().map(|parent| rows.get(parent)) {
                None => break None,
                Some(Some(parent)) => at = *parent,
                Some(None) => {
                    places[at].reason = Some("its parent is missing");
                    break Some(at);
                }
            }
        };
        let mut path = top.map(|top| places[top].path.clone()).unwrap_or_default();
        let reason = top.and_then(|top| places[top].reason);
        for row in trail.into_iter().rev() {
            if places[row].reason.is_some() {
                continue;
            }
            match reason {
                Some(reason) => places[row].reason = Some(reason),
                None => {
                    path.push(row);
                    places[row].path.clone_from(&path);
                }
            }
        }
    }
    places
}

/// The figure of each row and of everything below it.
fn rolled_up(figures: &ArrayRef, places: &[Place]) -> Result<ArrayRef, String> {
    let value = |row: usize| -> i128 {
        match ScalarValue::try_from_array(figures, row) {
            Ok(ScalarValue::Int64(Some(value))) => i128::from(value),
            Ok(ScalarValue::Decimal128(Some(value), ..)) => value,
            _ => 0,
        }
    };
    let mut sums: Vec<i128> = vec![0; places.len()];
    for (row, place) in places.iter().enumerate() {
        for above in &place.path {
            sums[*above] = sums[*above].checked_add(value(row)).ok_or("a total has more than 38 digits")?;
        }
    }
    let sums = sums.into_iter().zip(places).map(|(sum, place)| (!place.path.is_empty()).then_some(sum));
    if figures.data_type() == &DataType::Int64 {
        let sums = sums.map(|sum| sum.map(i64::try_from).transpose().map_err(|_| "a total has more than 64 bits".to_owned()));
        return Ok(Arc::new(arrow::array::PrimitiveArray::<Int64Type>::from_iter(sums.collect::<Result<Vec<_>, _>>()?)));
    }
    let DataType::Decimal128(_, places) = figures.data_type() else { return Err("a figure is not exact".into()) };
    let sums: Decimal128Array = sums.collect::<arrow::array::PrimitiveArray<Decimal128Type>>();
    Ok(Arc::new(sums.with_data_type(DataType::Decimal128(MAX_DIGITS, *places))))
}
