//! Programmes in text tables: `tests/programme/rules.txt` (one rule a case) and
//! `tests/programme/documents.txt` (whole files). With COHORTFLOW_REWRITE=1 the expectations are
//! written anew, and the difference is read like code.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cohortflow::programme::{self, Diagnostic, Document, Source};

fn table(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programme").join(name)
}

/// Holds a table against what is given now, or rewrites it.
#[track_caller]
fn hold(name: &str, given: &str) {
    let path = table(name);
    if std::env::var_os("COHORTFLOW_REWRITE").is_some() {
        fs::write(&path, given).expect("the table can be written");
    }
    let expected = fs::read_to_string(&path).expect("the table can be read");
    let differs = expected.lines().zip(given.lines()).enumerate().find(|(_, (expected, given))| expected != given);
    if let Some((index, (expected, given))) = differs {
        panic!("{}:{}\n expected {expected}\n    given {given}", path.display(), index + 1);
    }
    assert_eq!(expected.len(), given.len(), "{}: one is longer", path.display());
}

fn parse(text: &str) -> Result<Document, Vec<Diagnostic>> {
    programme::parse(vec![Source { name: "programme.toml".to_owned(), text: text.to_owned() }])
}

/// A programme of two tiers and one segment, whose rule begins at 5:11.
fn with_rule(rule: &str) -> String {
    format!(
        "[[tier]]\nid = \"A\"\nwhen = \"avg_fee >= 150\"\n[[tier]]\nid = \"F\"\n[[segment]]\nid = \"s\"\nwhen = '''{rule}'''\n"
    )
}

/// A case is a line; what it gives follows, indented.
#[test]
fn rules_are_understood_as_the_table_says() {
    let table = fs::read_to_string(table("rules.txt")).expect("the table can be read");
    let (mut given, mut cases) = (String::new(), 0);
    for line in table.lines() {
        if line.starts_with("  ") {
            continue;
        }
        writeln!(given, "{line}").expect("a string");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        cases += 1;
        let (expr, diagnostics) = match parse(&with_rule(line)) {
            Ok(document) => (Some(document.programme.segments[0].when.clone()), document.warnings),
            Err(diagnostics) => (None, diagnostics),
        };
        if let Some(expr) = expr {
            writeln!(given, "  = {expr}").expect("a string");
            let again = parse(&with_rule(&expr.to_string())).expect("what is shown can be read");
            assert_eq!(again.programme.segments[0].when, expr, "{line}");
        }
        for diagnostic in diagnostics {
            let Diagnostic { severity, line, column, message, hint, .. } = diagnostic;
            assert_eq!(line, 8, "{message}");
            let message = message.replace("rule of segment \"s\"", "...");
            // The column within the rule.
            writeln!(given, "  {} {severity}: {message}", column as isize - 10).expect("a string");
            if let Some(hint) = hint {
                writeln!(given, "    hint: {hint}").expect("a string");
            }
        }
    }
    assert!(cases >= 100, "{cases} cases");
    hold("rules.txt", &given);
}

/// A case is `=== title`, files (each after its `--- name`), and `=> ` lines that show what is given.
#[test]
fn documents_are_understood_as_the_table_says() {
    let table = fs::read_to_string(table("documents.txt")).expect("the table can be read");
    let mut given = String::new();
    let mut cases = 0;
    for case in table.split_inclusive("\n=> end\n") {
        let input: String =
            case.lines().filter(|line| !line.starts_with("=>")).map(|line| format!("{line}\n")).collect();
        given.push_str(&input);
        let mut sources: Vec<Source> = Vec::new();
        for line in input.lines() {
            if let Some(name) = line.strip_prefix("--- ") {
                sources.push(Source { name: name.to_owned(), text: String::new() });
            } else if let Some(source) = sources.last_mut() {
                source.text.push_str(line);
                source.text.push('\n');
            }
        }
        if sources.is_empty() {
            continue;
        }
        cases += 1;
        for line in shown(programme::parse(sources)).lines() {
            writeln!(given, "{}", format!("=> {line}").trim_end()).expect("a string");
        }
        given.push_str("=> end\n");
    }
    assert!(cases >= 30, "{cases} cases");
    hold("documents.txt", &given);
}

fn shown(read: Result<Document, Vec<Diagnostic>>) -> String {
    let mut text = String::new();
    let diagnostics = match &read {
        Ok(document) => &document.warnings,
        Err(diagnostics) => diagnostics,
    };
    for diagnostic in diagnostics {
        writeln!(text, "{diagnostic}").expect("a string");
    }
    if let Ok(Document { programme, settings, names, .. }) = &read {
        let (window, lag, history) = (programme.window, programme.lag, programme.history);
        writeln!(text, "window {window} lag {lag} history {history} zone {}", settings.timezone).expect("a string");
        let (bad, of) = settings.max_bad_rows;
        let (control, same, wall) = (settings.control_required, settings.same_version_replace, settings.clock_wall);
        writeln!(text, "bad rows {bad}/{of} control {control} replace {same} wall {wall}").expect("a string");
        if let Some(population) = &programme.population {
            writeln!(text, "population {population}").expect("a string");
        }
        for (tier, name) in programme.tiers.iter().zip(&names.tiers) {
            let when = tier.when.as_ref().map_or("the rest".to_owned(), ToString::to_string);
            writeln!(text, "tier {} ({}): {when}", tier.id, name.name.as_deref().unwrap_or("-")).expect("a string");
        }
        for (segment, name) in programme.segments.iter().zip(&names.segments) {
            let level = name.level.as_str();
            let name = name.name.as_deref().unwrap_or("-");
            writeln!(text, "segment {} ({name}, {level}): {}", segment.id, segment.when).expect("a string");
        }
    }
    text
}
