//! `join`: rows of two tables side by side where their keys agree.
//!
//! The right table is kept in memory and the left one streams past it, so a large left table costs no memory and keeps
//! its order. The rows without a partner are computed apart, and only when something takes them.

use datafusion::common::{JoinType, NullEquality};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast, lit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::keys::{Keyed, only};
use crate::example::Example;
use crate::kind::{Arity, Category, Flow, Identity, InPort, NodeKind, OUT, OutPort, Planned, Planning, Ports, Words};
use crate::param::Column;
use crate::problem::Problem;
use crate::table::{OrderKey, Table, column, hidden};

/// Puts the columns of two tables side by side.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Join {
    /// Which rows come out: those that match, all of one side, or all of both.
    #[serde(default)]
    pub how: How,
    /// The columns that must agree. Every pair must agree for two rows to match. The right columns of these pairs do not
    /// come out: they equal the left ones, which for `right` and `full` also carry the right value where the left side
    /// has no row.
    #[serde(default)]
    pub on: Vec<On>,
    /// Whether two empty values agree. They do not unless this is on.
    #[serde(default)]
    pub nulls_match: bool,
    /// Whether text agrees when only capitals differ.
    #[serde(default)]
    pub ignore_case: bool,
    /// What is added to the name of a right column when the left table has one of the same name.
    #[serde(default = "suffix")]
    pub collisions: String,
}

fn suffix() -> String {
    "_right".into()
}

/// Which rows come out of a join.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// Only rows that have a partner.
    #[default]
    Inner,
    /// All left rows; right columns are empty where there is no partner.
    Left,
    /// All right rows; left columns are empty where there is no partner.
    Right,
    /// All rows of both sides.
    Full,
}

/// A pair of columns that must agree.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct On {
    /// The column of the left table.
    #[schemars(extend("x-weir-input" = "left"))]
    pub left: Column,
    /// The column of the right table.
    #[schemars(extend("x-weir-input" = "right"))]
    pub right: Column,
}

impl Join {
    fn nulls(&self) -> NullEquality {
        if self.nulls_match { NullEquality::NullEqualsNull } else { NullEquality::NullEqualsNothing }
    }

    /// The visible columns that come out: their names and what they hold over the joined rows.
    fn columns(
        &self,
        cx: &mut Planning<'_>,
        left: &Table,
        right: &Table,
        keyed: &Keyed,
        renamed: &[(String, String)],
    ) -> Vec<(String, Expr)> {
        let renamed_to = |name: &str| renamed.iter().find(|(original, _)| original == name).map(|(_, to)| column(to));
        let mut columns: Vec<(String, Expr)> = Vec::new();
        for name in left.names() {
            let mut expr = column(name);
            if matches!(self.how, How::Right | How::Full)
                && let Some(pair) = keyed.pairs.iter().find(|pair| pair.left == name)
                && let Some(other) = renamed_to(&pair.right)
            {
                let typed = |side: &Table, name: &str, expr: Expr| {
                    if side.type_of(name) == Some(&pair.common) { expr } else { cast(expr, pair.common.clone()) }
                };
                expr = coalesce(vec![typed(left, name, expr), typed(right, &pair.right, other)]);
            }
            columns.push((name.to_owned(), expr));
        }
        for name in right.names().filter(|name| !keyed.pairs.iter().any(|pair| pair.right == **name)) {
            let mut shown = name.to_owned();
            if left.has(name) {
                shown.push_str(&self.collisions);
            }
            if columns.iter().any(|(taken, _)| *taken == shown) || (shown != name && right.has(&shown)) {
                cx.problem(
                    Problem::error(format!("Column \"{name}\" of the right table cannot be called \"{shown}\": there is one already."))
                        .on("collisions")
                        .help("Choose another ending, or rename the column before this step."),
                );
            }
            columns.extend(renamed_to(name).map(|expr| (shown, expr)));
        }
        columns
    }

    fn joined(&self, cx: &mut Planning<'_>, left: &Table, right: &Table, keyed: &Keyed) -> Option<Table> {
        // Every right column gets a name of its own: two tables of one source also share hidden columns.
        let renamed: Vec<(String, String)> = right
            .schema()
            .fields()
            .iter()
            .enumerate()
            .map(|(i, field)| (field.name().clone(), hidden(&format!("{}.column.{i}", cx.node()))))
            .collect();
        let columns = self.columns(cx, left, right, keyed, &renamed);
        if cx.failed() {
            return None;
        }
        let mut build: Vec<(String, Expr)> = renamed.iter().map(|(from, to)| (to.clone(), column(from))).collect();
        build.extend(keyed.right_keys(right));
        let build = cx.planned(only(right, build))?;

        let mut order = left.order.clone();
        let mut probe = keyed.left_keys(left);
        // Rows that only the right side has come last: their left keys are empty. Where empty values sort first, a mark
        // on the left rows decides before them.
        if matches!(self.how, How::Right | How::Full) && (order.is_empty() || order.iter().any(|key| key.nulls_first)) {
            let mark = hidden(&format!("{}.mark", cx.node()));
            probe.push((mark.clone(), lit(1_i64)));
            order.insert(0, OrderKey::ascending(mark, "left rows first"));
        }
        let probe = cx.planned(left.with_columns(probe))?;
        order.extend(right.order.iter().filter_map(|key| {
            let (_, to) = renamed.iter().find(|(from, _)| *from == key.column)?;
            Some(OrderKey { column: to.clone(), ..key.clone() })
        }));
        let join_type = match self.how {
            How::Inner => JoinType::Inner,
            How::Left => JoinType::Right,
            How::Right => JoinType::Left,
            How::Full => JoinType::Full,
        };
        let plan = LogicalPlanBuilder::from(build)
            .join_detailed(probe.plan, join_type, (keyed.right_names(), keyed.left_names()), None, self.nulls())
            .and_then(LogicalPlanBuilder::build);
        let plan = cx.planned(plan)?;
        cx.planned(Table::new(plan, order).project(columns))
    }

    fn without_partner(&self, left: &Table, right: &Table, keyed: &Keyed) -> datafusion::common::Result<(Table, Table)> {
        let build = only(right, keyed.right_keys(right))?;
        let probe = left.with_columns(keyed.left_keys(left))?;
        let names = || (keyed.right_names(), keyed.left_names());
        let left_only =
            LogicalPlanBuilder::from(build).join_detailed(probe.plan, JoinType::RightAnti, names(), None, self.nulls())?.build()?;
        let build = right.with_columns(keyed.right_keys(right))?;
        let probe = only(left, keyed.left_keys(left))?;
        let right_only =
            LogicalPlanBuilder::from(build.plan).join_detailed(probe, JoinType::LeftAnti, names(), None, self.nulls())?.build()?;
        Ok((Table::new(left_only, left.order.clone()), Table::new(right_only, right.order.clone())))
    }
}

impl NodeKind for Join {
    fn identity() -> Identity {
        Identity {
            id: "join",
            version: 1,
            category: Category::Join,
            icon: "join_inner",
            title: Words { en: "Join", fr: "Joindre" },
            summary: Words {
                en: "Puts the rows of two tables side by side where their keys agree, and sends rows without a partner elsewhere.",
                fr: "Met côte à côte les lignes de deux tables dont les clés concordent, et envoie ailleurs celles sans partenaire.",
            },
            synonyms: &[
                "merge queries",
                "joiner",
                "inner join",
                "outer join",
                "anti join",
                "vlookup",
                "jointure",
                "fusionner",
                "rapprocher",
                "croiser",
            ],
            order: Words {
                en: "The left table's; the matches of one left row in the right table's order; rows that only the right table has come last.",
                fr: "Celui de la table de gauche ; les correspondances d'une ligne dans l'ordre de la table de droite ; les lignes propres à celle-ci viennent en dernier.",
            },
        }
    }

    fn ports(&self) -> Ports {
        Ports {
            inputs: vec![
                InPort { name: "left", arity: Arity::One, title: Words { en: "left", fr: "gauche" } },
                InPort { name: "right", arity: Arity::One, title: Words { en: "right", fr: "droite" } },
            ],
            outputs: vec![
                OUT,
                OutPort { name: "left_only", title: Words { en: "left only", fr: "gauche seule" } },
                OutPort { name: "right_only", title: Words { en: "right only", fr: "droite seule" } },
            ],
        }
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let (left, right) = (cx.input("left")?, cx.input("right")?);
        let pairs = self.on.iter().enumerate().map(|(i, on)| (&on.left, format!("on[{i}].left"), &on.right, format!("on[{i}].right")));
        let keyed = Keyed::new(cx, (&left, &right), pairs, self.ignore_case)?;
        let joined = self.joined(cx, &left, &right, &keyed)?;
        let (left_only, right_only) = cx.planned(self.without_partner(&left, &right, &keyed))?;
        Some(Planned {
            flows: vec![Flow::all("out", joined), Flow::all("left_only", left_only), Flow::all("right_only", right_only)],
            ..Planned::default()
        })
    }

    fn examples() -> Vec<Example> {
        let deals = "deal,owner,amount:decimal(2)\nD1,ann,10.00\nD2,Bob,20.00\nD3,,30.00\nD4,Ann,40.00";
        let people = "name,team,amount:integer\nBob,South,1\nAnn,North,2\nCid,East,3\nBob,West,4\n,None,5";
        let on = json!([{ "left": "owner", "right": "name" }]);
        vec![
            Example::new("Only matches come out; two matches make two rows; rows without a partner leave apart.", json!({ "on": on }))
                .input("left", deals)
                .input("right", people)
                .output(
                    "out",
                    "deal,owner,amount:decimal(2),team,amount_right:integer\nD2,Bob,20.00,South,1\nD2,Bob,20.00,West,4\nD4,Ann,40.00,North,2",
                )
                .output("left_only", "deal,owner,amount:decimal(2)\nD1,ann,10.00\nD3,,30.00")
                .output("right_only", "name,team,amount:integer\nCid,East,3\n,None,5"),
            Example::new("All left rows, whatever the capitals.", json!({ "how": "left", "on": on, "ignore_case": true, "collisions": "_team" }))
                .input("left", deals)
                .input("right", people)
                .output(
                    "out",
                    "deal,owner,amount:decimal(2),team,amount_team:integer\nD1,ann,10.00,North,2\nD2,Bob,20.00,South,1\nD2,Bob,20.00,West,4\nD3,,30.00,,\nD4,Ann,40.00,North,2",
                )
                .output("left_only", "deal,owner,amount:decimal(2)\nD3,,30.00"),
            Example::new("All right rows; the key column carries the right value where no left row matches.", json!({ "how": "right", "on": on }))
                .input("left", deals)
                .input("right", people)
                .output(
                    "out",
                    "deal,owner,amount:decimal(2),team,amount_right:integer\nD2,Bob,20.00,South,1\nD2,Bob,20.00,West,4\nD4,Ann,40.00,North,2\n,Cid,,East,3\n,,,None,5",
                ),
            Example::new("All rows of both sides, with empty keys that agree.", json!({ "how": "full", "on": on, "nulls_match": true }))
                .input("left", deals)
                .input("right", people)
                .output(
                    "out",
                    "deal,owner,amount:decimal(2),team,amount_right:integer\nD1,ann,10.00,,\nD2,Bob,20.00,South,1\nD2,Bob,20.00,West,4\nD3,,30.00,None,5\nD4,Ann,40.00,North,2\n,Cid,,East,3",
                )
                .output("left_only", "deal,owner,amount:decimal(2)\nD1,ann,10.00")
                .output("right_only", "name,team,amount:integer\nCid,East,3"),
            Example::new("A whole number matches a decimal of the same value.", json!({ "how": "full", "on": [{ "left": "n", "right": "d" }] }))
                .input("left", "n:integer,l\n1,a\n2,b")
                .input("right", "d:decimal(2),r\n2.00,x\n2.50,y")
                .output("out", "n:decimal(2),l,r\n1.00,a,\n2.00,b,x\n2.50,,y"),
            Example::new(
                "Several pairs must all agree.",
                json!({ "on": [{ "left": "a", "right": "a" }, { "left": "b", "right": "b" }] }),
            )
            .input("left", "a,b\nx,1\nx,2")
            .input("right", "a,b,c\nx,2,hit\ny,1,miss")
            .output("out", "a,b,c\nx,2,hit"),
            Example::new("A right table without rows.", json!({ "how": "left", "on": on }))
                .input("left", "deal,owner\nD1,Ann")
                .input("right", "name,team")
                .output("out", "deal,owner,team\nD1,Ann,")
                .output("left_only", "deal,owner\nD1,Ann")
                .output("right_only", "name,team"),
            Example::new("A text and a number do not match.", json!({ "on": [{ "left": "deal", "right": "amount" }] }))
                .input("left", deals)
                .input("right", people)
                .refused("cannot be compared"),
        ]
    }
}
