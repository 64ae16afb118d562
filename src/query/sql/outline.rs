//! What clients are told of a plan before it runs: names of columns, types of parameters.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::refusal::{Code, Refusal};
use super::{rewrite, subscribe};
use crate::query::{View, view};

/// The names of columns as PostgreSQL would choose them: a column without a name has that of its function, or none.
pub fn names(plan: &LogicalPlan) -> Vec<String> {
    let own = || plan.schema().fields().iter().map(|field| field.name().clone()).collect();
    match plan {
        LogicalPlan::Projection(projection) => projection.expr.iter().map(name).collect(),
        LogicalPlan::Sort(sort) => names(&sort.input),
        LogicalPlan::Limit(limit) => names(&limit.input),
        LogicalPlan::Distinct(distinct) => names(distinct.input()),
        _ => own(),
    }
}

fn name(expression: &Expr) -> String {
    let (text, is_chosen) = match expression {
        // The planner itself gives this one a name.
        Expr::Alias(alias) if rewrite::is_apart(&alias.name) => return rewrite::told(&alias.name).to_owned(),
        Expr::Alias(alias) => (alias.name.clone(), alias.name != "count(*)"),
        Expr::Column(column) => (column.name.clone(), false),
        Expr::Cast(cast) => return name(&cast.expr),
        other => (other.schema_name().to_string(), false),
    };
    let is_plain = text.chars().all(|character| character.is_alphanumeric() || character == '_');
    if is_chosen || (is_plain && matches!(expression, Expr::Column(_))) {
        return text;
    }
    let function = text.split('(').next().unwrap_or_default();
    let is_function = text.contains('(') && function.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_function && !function.is_empty() { function.to_owned() } else { "?column?".to_owned() }
}

/// The views that a plan reads.
pub fn views(plan: &LogicalPlan) -> Vec<&'static View> {
    let mut views: Vec<&'static View> = Vec::new();
    // What looks at it never fails.
    let _ = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let schema = scan.source.schema();
            let name = schema.metadata().get(subscribe::NAME).map_or(scan.table_name.table(), String::as_str);
            views.extend(view(name).filter(|view| !views.iter().any(|held| held.name == view.name)));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    views
}

/// The types of parameters `$1`, `$2`, ... as far as they follow from what they are compared with or cast to.
pub fn parameters(plan: &LogicalPlan) -> Result<Vec<Option<DataType>>, Refusal> {
    let mut types = Vec::new();
    let mut note = |id: &str, data_type: Option<DataType>| {
        let place = id.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        let Some(place) = place.filter(|place| (1..=PARAMETERS_MAX).contains(place)) else {
            return Err(Refusal::new(Code::UndefinedParameter, format!("there is no parameter {id}")));
        };
        if types.len() < place {
            types.resize(place, None);
        }
        let held: &mut Option<DataType> = &mut types[place - 1];
        *held = held.take().or(data_type);
        Ok(())
    };
    for (id, data_type) in plan.get_parameter_types()? {
        note(&id, data_type)?;
    }
    let mut casts = Vec::new();
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|expression| {
                if let Expr::Cast(cast) = expression
                    && let Expr::Placeholder(placeholder) = &*cast.expr
                {
                    casts.push((placeholder.id.clone(), cast.field.data_type().clone()));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    casts.into_iter().try_for_each(|(id, data_type)| note(&id, Some(data_type)))?;
    Ok(types)
}

/// As many as the protocol can tell of.
const PARAMETERS_MAX: usize = 65_535;
