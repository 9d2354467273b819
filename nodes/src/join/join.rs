//! `join`: rows of two tables side by side where their keys agree.
//!
//! The right table is kept in memory and the left one streams past it, so a large left table costs no memory and keeps
//! its order. The rows without a partner are computed apart, and only when something takes them.

use datafusion::common::{JoinType, NullEquality};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{cast, when};
use rust_decimal::Decimal;

use super::keys::{Keyed, only};
use crate::kind::{Must, Total, Totals};
use crate::prelude::*;

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
    /// Left rows that have a partner, each once, without right columns.
    Semi,
    /// Left rows that have no partner.
    Anti,
    /// Every left row with every right row; no columns have to agree.
    Cross,
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

    /// The joined rows: the left table's columns, then the right table's.
    pub(crate) fn joined(&self, cx: &mut Planning<'_>, left: &Table, right: &Table, keyed: &Keyed) -> Option<Table> {
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
            How::Semi => JoinType::RightSemi,
            How::Anti => JoinType::RightAnti,
            How::Cross => JoinType::Inner,
        };
        if self.how == How::Cross {
            let plan = LogicalPlanBuilder::from(build).cross_join(probe.plan).and_then(LogicalPlanBuilder::build);
            let plan = cx.planned(plan)?;
            return cx.planned(Table::new(plan, order).project(columns));
        }
        let plan = LogicalPlanBuilder::from(build)
            .join_detailed(probe.plan, join_type, (keyed.right_names(), keyed.left_names()), None, self.nulls())
            .and_then(LogicalPlanBuilder::build);
        let plan = cx.planned(plan)?;
        cx.planned(Table::new(plan, order).project(columns))
    }

    /// Left rows that have a partner, or those that have none.
    fn kept(&self, left: &Table, right: &Table, keyed: &Keyed) -> datafusion::common::Result<Table> {
        let build = only(right, keyed.right_keys(right))?;
        let probe = left.with_columns(keyed.left_keys(left))?;
        let how = if self.how == How::Semi { JoinType::RightSemi } else { JoinType::RightAnti };
        let keys = (keyed.right_names(), keyed.left_names());
        let plan = LogicalPlanBuilder::from(build).join_detailed(probe.plan, how, keys, None, self.nulls())?.build()?;
        Table::new(plan, left.order.clone()).project(left.columns())
    }

    /// How many rows of each side found no partner, one, or several: a row for each side.
    fn matches(&self, cx: &Planning<'_>, left: &Table, right: &Table, keyed: &Keyed) -> datafusion::common::Result<Table> {
        let (side, partners) = (hidden(&format!("{}.side", cx.node())), hidden(&format!("{}.partners", cx.node())));
        let counted = |number: i64, name: &str, rows: LogicalPlan, others: LogicalPlan, on: (Vec<_>, Vec<_>)| {
            let keys: Vec<Expr> = on.0.iter().map(|key: &datafusion::common::Column| Expr::Column(key.clone())).collect();
            let others = LogicalPlanBuilder::from(others).aggregate(keys, [count(lit(1_i64)).alias(&partners)])?.build()?;
            let met = LogicalPlanBuilder::from(others).join_detailed(rows, JoinType::Right, on, None, self.nulls())?;
            let found = || coalesce(vec![column(&partners), lit(0_i64)]);
            let rows_with = |condition: Expr| Ok::<_, datafusion::common::DataFusionError>(count(when(condition, lit(1_i64)).end()?));
            let figures = [
                rows_with(found().eq(lit(0_i64)))?.alias("unmatched"),
                rows_with(found().eq(lit(1_i64)))?.alias("matched_once"),
                rows_with(found().gt(lit(1_i64)))?.alias("matched_more"),
            ];
            let text = lit(datafusion::scalar::ScalarValue::Utf8View(Some(name.to_owned())));
            let columns = ["unmatched", "matched_once", "matched_more"].map(column);
            met.aggregate(Vec::<Expr>::new(), figures)?
                .project([text.alias("side")].into_iter().chain(columns).chain([lit(number).alias(&side)]))?
                .build()
        };
        let (lefts, rights) = (only(left, keyed.left_keys(left))?, only(right, keyed.right_keys(right))?);
        let of_left = counted(0, "left", lefts.clone(), rights.clone(), (keyed.right_names(), keyed.left_names()))?;
        let of_right = counted(1, "right", rights, lefts, (keyed.left_names(), keyed.right_names()))?;
        let plan = LogicalPlanBuilder::from(of_left).union(of_right)?.build()?;
        Ok(Table::new(plan, vec![OrderKey::ascending(side, "side")]))
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
                "semi join",
                "cross join",
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
        let side = |name, en, fr| InPort { name, arity: Arity::One, title: Words { en, fr } };
        let out = |name, en, fr| OutPort { name, title: Words { en, fr } };
        let mut outputs = vec![OUT];
        if self.how != How::Cross {
            outputs.push(out("left_only", "left only", "gauche seule"));
            outputs.push(out("right_only", "right only", "droite seule"));
            outputs.push(out("matches", "how many match", "correspondances"));
        }
        Ports { inputs: vec![side("left", "left", "gauche"), side("right", "right", "droite")], outputs }
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let (left, right) = (cx.input("left")?, cx.input("right")?);
        if self.how == How::Cross {
            if !self.on.is_empty() {
                cx.problem(Problem::error("Where every row meets every row, no columns have to agree.").on("on").help("Remove the pairs."));
            }
            return Some(Planned::table(self.joined(cx, &left, &right, &Keyed::none(cx))?));
        }
        let pairs = self.on.iter().enumerate().map(|(i, on)| (&on.left, format!("on[{i}].left"), &on.right, format!("on[{i}].right")));
        let keyed = Keyed::new(cx, (&left, &right), pairs, self.ignore_case)?;
        let out = match self.how {
            How::Semi | How::Anti => {
                let kept = self.kept(&left, &right, &keyed);
                cx.planned(kept)?
            }
            _ => self.joined(cx, &left, &right, &keyed)?,
        };
        let (left_only, right_only) = cx.planned(self.without_partner(&left, &right, &keyed))?;
        let matches = self.matches(cx, &left, &right, &keyed);
        let matches = cx.planned(matches)?;
        let flows = vec![
            Flow::all("out", out),
            Flow::all("left_only", left_only),
            Flow::all("right_only", right_only),
            Flow::all("matches", matches),
        ];
        let mut planned = Planned { flows, ..Planned::default() };
        if !matches!(self.how, How::Semi | How::Anti) {
            // More rows than both sides have together: keys repeat on both, and every one meets every other.
            let rows = |port| Total { port, wire: 0, value: lit(1_i64) };
            planned = planned.check(Check {
                title: "The join does not multiply rows".into(),
                severity: Severity::Warn,
                totals: Some(Totals {
                    left_label: "rows out".into(),
                    left: vec![rows("out")],
                    right_label: "rows in".into(),
                    right: vec![rows("left"), rows("right")],
                    right_constant: Decimal::ZERO,
                    must: Must::NotExceed,
                    tolerance: Decimal::ZERO,
                }),
                exceptions: None,
                counted: None,
                allowed: 0,
            });
        }
        Some(planned)
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
            Example::new("Left rows that have a partner, each once; and how many rows of each side match.", json!({ "how": "semi", "on": on }))
                .input("left", deals)
                .input("right", people)
                .output("out", "deal,owner,amount:decimal(2)\nD2,Bob,20.00\nD4,Ann,40.00")
                .output("matches", "side,unmatched:integer,matched_once:integer,matched_more:integer\nleft,2,1,1\nright,2,3,0"),
            Example::new("Left rows without a partner.", json!({ "how": "anti", "on": on }))
                .input("left", deals)
                .input("right", people)
                .output("out", "deal,owner,amount:decimal(2)\nD1,ann,10.00\nD3,,30.00"),
            Example::new("Every row with every row.", json!({ "how": "cross" }))
                .input("left", "month\n01\n02")
                .input("right", "site\nLyon\nLille")
                .output("out", "month,site\n01,Lyon\n01,Lille\n02,Lyon\n02,Lille"),
            Example::new("A text and a number do not match.", json!({ "on": [{ "left": "deal", "right": "amount" }] }))
                .input("left", deals)
                .input("right", people)
                .refused("cannot be compared"),
        ]
    }
}
