//! Columns that a join is `USING`, where a query names them.
//!
//! The planner takes such a name for one of two columns in WHERE, and everywhere where more than two tables are joined by
//! it, and refuses it; in PostgreSQL it is the joined one. So it is said which: that of the side whose rows are all there,
//! or the first of both that is not null.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, JoinConstraint,
    JoinOperator, ObjectName, Query, Select, SelectItem, Statement, TableFactor, TableWithJoins, VisitMut, VisitorMut,
};

/// Says which columns are meant.
pub fn with_sides(statements: &mut [Statement]) {
    for statement in statements {
        let _ = VisitMut::visit(statement, &mut Selects);
    }
}

struct Selects;

impl VisitorMut for Selects {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let joined: HashMap<String, Expr> = select.from.iter().flat_map(joined).collect();
        if joined.is_empty() {
            return ControlFlow::Continue(());
        }
        let is_chain = select.from.iter().any(|tables| tables.joins.len() > 1);
        let mut names = Names { joined, depth: 0 };
        if let Some(condition) = &mut select.selection {
            VisitMut::visit(condition, &mut names)?;
        }
        if is_chain {
            for item in &mut select.projection {
                // What is chosen by such a name is called by it.
                if let SelectItem::UnnamedExpr(Expr::Identifier(ident)) = item
                    && let Some(meant) = names.joined.get(&key(ident))
                {
                    *item = SelectItem::ExprWithAlias { expr: meant.clone(), alias: ident.clone() };
                } else {
                    VisitMut::visit(item, &mut names)?;
                }
            }
            VisitMut::visit(&mut select.group_by, &mut names)?;
            VisitMut::visit(&mut select.having, &mut names)?;
        }
        ControlFlow::Continue(())
    }
}

/// The columns that tables are joined by, each with what it is.
fn joined(tables: &TableWithJoins) -> HashMap<String, Expr> {
    let mut joined: HashMap<String, Expr> = HashMap::new();
    let Some(first) = name(&tables.relation) else { return joined };
    for join in &tables.joins {
        let (constraint, is_left, is_right) = match &join.join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint) => (constraint, true, false),
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => (constraint, false, true),
            JoinOperator::FullOuter(constraint) => (constraint, false, false),
            _ => continue,
        };
        let (JoinConstraint::Using(columns), Some(second)) = (constraint, name(&join.relation)) else { continue };
        for column in columns {
            let [part] = column.0.as_slice() else { continue };
            let Some(ident) = part.as_ident() else { continue };
            let of = |table: &Ident| Expr::CompoundIdentifier(vec![table.clone(), ident.clone()]);
            let left = joined.remove(&key(ident)).unwrap_or_else(|| of(&first));
            let meant = match (is_left, is_right) {
                (true, _) => left,
                (_, true) => of(&second),
                _ => coalesce([left, of(&second)]),
            };
            joined.insert(key(ident), meant);
        }
    }
    joined
}

/// By what a table's columns are named.
fn name(table: &TableFactor) -> Option<Ident> {
    match table {
        TableFactor::Table { name, alias, .. } => {
            let own = || name.0.last()?.as_ident().cloned();
            alias.as_ref().map(|alias| alias.name.clone()).or_else(own)
        }
        TableFactor::Derived { alias, .. } | TableFactor::Function { alias, .. } => {
            alias.as_ref().map(|alias| alias.name.clone())
        }
        _ => None,
    }
}

/// Names without quotes are the same in any case.
fn key(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

fn coalesce(sides: [Expr; 2]) -> Expr {
    let arguments = FunctionArgumentList {
        duplicate_treatment: None,
        args: sides.map(|side| FunctionArg::Unnamed(FunctionArgExpr::Expr(side))).into(),
        clauses: Vec::new(),
    };
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new("coalesce")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(arguments),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// Puts what is meant in the place of names. Queries within have names of their own.
struct Names {
    joined: HashMap<String, Expr>,
    depth: usize,
}

impl VisitorMut for Names {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let (0, Expr::Identifier(ident)) = (self.depth, &*expression)
            && let Some(meant) = self.joined.get(&key(ident))
        {
            *expression = meant.clone();
        }
        ControlFlow::Continue(())
    }
}
