//! Statements as the planner takes them, which is stricter than PostgreSQL in what two columns may be called.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, Query, SelectItem, SetExpr, Statement, Value, VisitMut, VisitorMut,
};

/// Before and after the number in a name that was made here. No client's name has it.
const APART: char = '\u{1}';

/// Whether a name was made here.
pub fn is_apart(name: &str) -> bool {
    name.starts_with(APART)
}

/// The name that stands in for it.
pub fn told(name: &str) -> &str {
    name.rsplit(APART).next().unwrap_or(name)
}

/// Gives the columns of each query different names.
pub fn with_names_apart(statements: &mut [Statement]) {
    for statement in statements {
        let _ = VisitMut::visit(statement, &mut Apart);
    }
}

struct Apart;

impl VisitorMut for Apart {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        set_apart(&mut query.body);
        ControlFlow::Continue(())
    }
}

fn set_apart(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            let mut known = HashSet::new();
            for (number, item) in select.projection.iter_mut().enumerate() {
                let (own, told) = match item {
                    SelectItem::UnnamedExpr(expression) => (expression.to_string(), name(expression)),
                    SelectItem::ExprWithAlias { alias, .. } => (alias.to_string(), alias.value.clone()),
                    _ => continue,
                };
                if known.insert(own.to_lowercase()) {
                    continue;
                }
                let alias = Ident::with_quote('"', format!("{APART}{number}{APART}{told}"));
                let taken = match item {
                    SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => expr.clone(),
                    _ => continue,
                };
                *item = SelectItem::ExprWithAlias { expr: taken, alias };
            }
        }
        SetExpr::SetOperation { left, right, .. } => {
            set_apart(left);
            set_apart(right);
        }
        _ => {}
    }
}

/// As PostgreSQL names a column without a name.
fn name(expression: &Expr) -> String {
    match expression {
        Expr::Identifier(name) => name.value.clone(),
        Expr::CompoundIdentifier(names) => names.last().map(|name| name.value.clone()).unwrap_or_default(),
        Expr::Function(function) => function.name.to_string().to_lowercase(),
        Expr::Cast { expr, .. } | Expr::Nested(expr) => name(expr),
        _ => "?column?".to_owned(),
    }
}

/// Lists of rights and options, of which there are none here; the catalog lacks them, or has them as texts.
const LISTS: [&str; 9] =
    ["attoptions", "datacl", "lanacl", "nspacl", "proacl", "relacl", "reloptions", "setconfig", "typacl"];

/// Lists of columns' numbers: of keys and indices, of which there are none either.
const NUMBERS: [&str; 6] = ["confkey", "conkey", "indclass", "indcollation", "indkey", "indoption"];

/// Clients ask for lists of roles and options, as columns or as `ARRAY(SELECT ...)`, which the planner does not take.
/// None is told. Only for what is asked of the catalog.
pub fn without_lists(statements: &mut [Statement]) {
    for statement in statements {
        let _ = VisitMut::visit(statement, &mut Lists);
    }
}

struct Lists;

impl VisitorMut for Lists {
    type Break = ();

    /// A column that is told as another expression keeps its name.
    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let SetExpr::Select(select) = &mut *query.body else { return ControlFlow::Continue(()) };
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(Expr::CompoundIdentifier(names)) = item
                && let Some(alias) = names.last().cloned()
                && (LISTS.contains(&&*alias.value) || NUMBERS.contains(&&*alias.value))
            {
                *item = SelectItem::ExprWithAlias { expr: Expr::CompoundIdentifier(std::mem::take(names)), alias };
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        // The library makes '' of what asks for the schemas that are looked through; it is this one.
        if let Expr::InList { expr, list, .. } = expression
            && matches!(&**expr, Expr::Function(function) if function.name.to_string() == "quote_ident")
            && let [Expr::Value(only)] = list.as_mut_slice()
            && matches!(&only.value, Value::SingleQuotedString(text) if text.is_empty())
        {
            only.value = Value::SingleQuotedString(super::SCHEMA.to_owned());
        }
        let of = match expression {
            Expr::Function(function)
                if function.name.to_string().eq_ignore_ascii_case("array")
                    && matches!(function.args, FunctionArguments::Subquery(_)) =>
            {
                Some(DataType::Text)
            }
            Expr::Function(function) if function.name.to_string().ends_with("generate_subscripts") => {
                *expression = call("unnest", vec![no_list(DataType::Int(None))]);
                return ControlFlow::Continue(());
            }
            Expr::CompoundIdentifier(names) => match names.last() {
                Some(name) if LISTS.contains(&&*name.value) => Some(DataType::Text),
                Some(name) if NUMBERS.contains(&&*name.value) => Some(DataType::Int(None)),
                _ => None,
            },
            _ => None,
        };
        if let Expr::Subquery(query) = expression {
            match is_of_nothing(query) {
                true => *expression = Expr::Value(Value::Null.into()),
                false => one_row(query),
            }
        }
        if let Some(of) = of {
            *expression = no_list(of);
        }
        ControlFlow::Continue(())
    }
}

/// The list that there is not.
fn no_list(of: DataType) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(Expr::Value(Value::Null.into())),
        data_type: DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(of), None)),
        array: false,
        format: None,
    }
}

/// Whether a query for one value asks what nothing here has: defaults of columns, sequences, descriptions as objects.
fn is_of_nothing(query: &Query) -> bool {
    const EMPTY: [&str; 3] = ["pg_attrdef", "pg_description", "pg_sequence"];
    let SetExpr::Select(select) = &*query.body else { return false };
    let is_empty = select.from.iter().any(|table| {
        let name = table.relation.to_string();
        EMPTY.contains(&name.rsplit('.').next().unwrap_or_default())
    });
    let is_object = select.projection.iter().any(|item| match item {
        SelectItem::UnnamedExpr(Expr::Function(told))
        | SelectItem::ExprWithAlias { expr: Expr::Function(told), .. } => told.name.to_string() == "json_build_object",
        _ => false,
    });
    is_empty || is_object
}

/// A query for one value that has at most one row: its greatest, which the planner takes for what it is.
fn one_row(query: &mut Query) {
    const OF_ALL: [&str; 6] = ["array_agg", "count", "max", "min", "string_agg", "sum"];
    let SetExpr::Select(select) = &mut *query.body else { return };
    let [SelectItem::UnnamedExpr(told) | SelectItem::ExprWithAlias { expr: told, .. }] =
        select.projection.as_mut_slice()
    else {
        return;
    };
    let is_of_all = |function: &Function| OF_ALL.contains(&&*function.name.to_string().to_lowercase());
    if !matches!(told, Expr::Function(function) if is_of_all(function)) {
        *told = call("max", vec![told.clone()]);
        (query.limit_clause, query.order_by) = (None, None);
    }
}

/// What the planner takes in another form: calls without parentheses, patterns with an escape of their own.
pub fn in_other_words(statements: &mut [Statement]) {
    for statement in statements {
        let _ = VisitMut::visit(statement, &mut Words);
    }
}

struct Words;

impl VisitorMut for Words {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        match expression {
            Expr::Identifier(name)
                if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("current_schema") =>
            {
                *expression = call("current_schema", Vec::new());
            }
            Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. } => {
                let escape = match escape_char.as_ref().map(|escape| &escape.value) {
                    Some(Value::SingleQuotedString(escape)) if escape != "\\" => escape.clone(),
                    _ => return ControlFlow::Continue(()),
                };
                *escape_char = None;
                **pattern = with_backslashes((**pattern).clone(), &escape);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// A pattern whose escape is the backslash, of one that has another, or none.
fn with_backslashes(pattern: Expr, escape: &str) -> Expr {
    let text = |text: &str| Expr::Value(Value::SingleQuotedString(text.to_owned()).into());
    let replaced = |of: Expr, from: &str, to: &str| call("replace", vec![of, text(from), text(to)]);
    let pattern = replaced(pattern, "\\", "\\\\");
    if escape.is_empty() {
        return pattern;
    }
    // An escape that is escaped stands for itself.
    let (twice, apart) = (escape.repeat(2), APART.to_string());
    replaced(replaced(replaced(pattern, &twice, &apart), escape, "\\"), &apart, escape)
}

fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let argument = |argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.into_iter().map(argument).collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
