//! Programmes in text tables: `tests/programme/rules.txt` (one rule a case) and
//! `tests/programme/documents.txt` (whole files). With COHORTFLOW_REWRITE=1 the expectations are
//! written anew, and the difference is read like code.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cohortflow::programme::{self, Diagnostic, Document, Goal, Level, SellingPoint, Source};
use dataflows::care::Calendar;
use dataflows::fit::{Affinity, Fit};
use dataflows::stages::Stages;

#[path = "programme/campaigns.rs"]
mod campaigns;

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
    if let Ok(document @ Document { programme, settings, names, .. }) = &read {
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
        for rule in programme.points.iter().flatten() {
            writeln!(text, "{rule:?}").expect("a string");
        }
        for rank in &programme.ranks {
            writeln!(text, "rank {} from {}", rank.id, rank.from).expect("a string");
        }
        if programme.stages != Stages::default() {
            writeln!(text, "{:?}", programme.stages).expect("a string");
        }
        for drive in &programme.drives {
            let signs: Vec<String> = drive.signs.iter().map(|sign| format!("{}: {}", sign.id, sign.when)).collect();
            let (id, when, at_least) = (&drive.id, &drive.when, drive.at_least);
            writeln!(text, "drive {id}: {when}; {at_least} of [{}]", signs.join("; ")).expect("a string");
        }
        for care in &programme.cares {
            let reasons: Vec<String> =
                care.diagnose.iter().map(|diagnosis| format!("{}: {}", diagnosis.reason, diagnosis.when)).collect();
            let (product, used_by, steps) = (&care.product, &care.used_by, &care.steps);
            writeln!(text, "care of {product} by {used_by} [{}] {steps:?}", reasons.join("; ")).expect("a string");
        }
        let Calendar { holidays, workdays } = &programme.calendar;
        for (what, days) in [("holiday", holidays), ("workday", workdays)] {
            days.iter().for_each(|day| writeln!(text, "{what} {day}").expect("a string"));
        }
        for (product, measure) in &programme.active_measures {
            writeln!(text, "use of {product} by {measure}").expect("a string");
        }
        text.push_str(&campaigns::shown(document));
        if let Some(Fit { weights, parts, smoothing, affinities, scores }) = &programme.fit {
            writeln!(text, "fit weighs {weights:?} of {parts:?}, smoothing {smoothing}").expect("a string");
            for Affinity { of, kin, points } in affinities {
                writeln!(text, "  {of:?} suits {kin:?} by {points}").expect("a string");
            }
            for (product, model) in scores {
                writeln!(text, "  {product} is foretold by {model}").expect("a string");
            }
        }
        for SellingPoint { product, kin, text: said } in &document.selling_points {
            writeln!(text, "of {product} to {kin:?}: {said}").expect("a string");
        }
    }
    text
}

/// Where the fixtures lie.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/programmes").join(name)
}

#[test]
fn the_embedded_reference_is_the_directory() {
    let loaded = programme::load(&fixture("reference")).expect("the reference programme holds");
    assert_eq!(loaded.sources, programme::reference());
    let again = programme::parse(loaded.sources.clone()).expect("it can be read again");
    assert_eq!(again, loaded);
}

#[test]
fn the_reference_holds_what_the_mission_names() {
    let document = programme::parse(programme::reference()).expect("the reference programme holds");
    let Document { programme, names, warnings, settings, plans, .. } = &document;
    let tiers: Vec<&str> = programme.tiers.iter().map(|tier| tier.id.as_str()).collect();
    assert_eq!(tiers, ["A", "B", "C", "D", "E", "F"]);
    assert_eq!(programme.segments.len(), 16);
    assert_eq!(names.segments.len(), 16);
    assert_eq!(settings.timezone, "Asia/Shanghai");
    // Only what later builds carry is warned of: a slip in a rule would show here.
    for warning in warnings {
        assert!(warning.message.contains("not carried by this build"), "{warning}");
    }
    let text: String = programme::reference().into_iter().map(|source| source.text).collect();
    assert_eq!(text.matches("[[goal]]").count(), 22);
    assert_eq!((programme.points.as_ref().map(Vec::len), programme.ranks.len()), (Some(12), 10));

    let of_tiers: Vec<&str> = programme.packs.iter().filter_map(|pack| pack.tier.as_deref()).collect();
    assert_eq!(of_tiers, tiers);
    assert_eq!(document.packs[0].name.as_deref(), Some("Enjoy 1"));
    // Every level has a campaign, several of the standing goals have, and every step has what it sends.
    for level in [Level::Province, Level::ProvinceCity, Level::City] {
        assert!(plans.iter().any(|plan| plan.level == level), "{level:?}");
    }
    assert!(plans.iter().filter(|plan| matches!(plan.goal, Some(Goal::Standing(_)))).count() >= 8);
    for plan in plans {
        for step in &plan.steps {
            assert!(document.content(&plan.id, step, &step.channel).is_some(), "{}: {}", plan.id, step.channel);
        }
    }
    assert_eq!(programme.limits.caps.len(), 2);
}

/// The dataflow has a word for whatever campaigns name.
#[test]
fn names_hold_what_campaigns_ask_for() {
    let text = "[settings]\ncaps = [{ channel = \"mail\", contacts = 1, days = 1 }]\n\
                [[pack]]\nid = \"p\"\nproducts = [\"book\"]\n\
                [[campaign]]\nid = \"c\"\naudience = \"holds.crbt and on_list.gold\"\ncities = [\"Dalian\"]\n\
                pack = \"p\"\nexclude = [\"list:vip\"]\nconsent = \"promotion\"\nnot_after = { wap_push = 1 }\n\
                channels = [\"sms\", \"mms\"]\nnever_with = [\"d\"]\n\
                [[campaign]]\nid = \"d\"\naudience = \"true\"\nproduct = \"song\"\nchannels = [\"call\"]\n";
    let programme = parse(text).expect("it holds").programme;
    let names = programme.names();
    assert!(names.is_sorted());
    for name in [
        "mail",
        "book",
        "c",
        "crbt",
        "gold",
        "Dalian",
        "vip",
        "list:vip",
        "promotion",
        "wap_push",
        "sms",
        "mms",
        "d",
        "song",
        "call",
        "do_not_contact",
        "list:do_not_contact",
        "optout",
        "consent",
        "holders",
        "terminal",
        "never_with",
        "not_after",
        "declined",
        "channel",
        "cap",
        "max_open",
    ] {
        assert_eq!(names.iter().filter(|held| *held == name).count(), 1, "{name}");
    }
    assert!(parse("").expect("it holds").programme.names().is_empty());
}

#[test]
fn the_variant_stands_alone_and_in_place_of_the_tiers() {
    let alone = programme::load(&fixture("total-spend")).expect("the variant holds");
    let mut sources = programme::reference();
    for source in &mut sources {
        if source.name == "20-tiers.toml" {
            source.text = alone.sources[0].text.clone();
        }
    }
    let replaced = programme::parse(sources).expect("it holds in the reference programme");
    assert_eq!(replaced.programme.tiers, alone.programme.tiers);
    assert_eq!(replaced.programme.segments.len(), 16);
    let asks = |document: &Document| {
        let rules = document.programme.tiers.iter().filter_map(|tier| tier.when.as_ref());
        rules.filter(|rule| rule.to_string().contains("(change_fee >= ")).count()
    };
    assert_eq!(asks(&replaced), 5);
}

#[test]
fn what_cannot_be_read_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let told = |path: &Path| programme::load(path).expect_err("refused").to_string();
    assert!(told(&directory.path().join("absent.toml")).contains("could not read programme"));
    assert!(told(directory.path()).contains("holds no file named *.toml"));

    // Hidden files, other files and directories are left alone; the rest merges in the order of the names.
    let write = |name: &str, text: &[u8]| fs::write(directory.path().join(name), text).expect("written");
    write("b.toml", b"[[segment]]\nid = \"b\"\nwhen = \"true\"\n");
    write("a.toml", b"\xef\xbb\xbf[[segment]]\nid = \"a\"\nwhen = \"true\"\n");
    write(".c.toml", b"nonsense");
    write("c.toml~", b"nonsense");
    fs::create_dir(directory.path().join("d.toml")).expect("created");
    let document = programme::load(directory.path()).expect("it holds");
    let ids: Vec<&str> = document.programme.segments.iter().map(|segment| segment.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);

    write("a.toml", b"\xef\xbb\xbf[[segmnt]]\n");
    let text = told(directory.path());
    assert!(text.contains("--> a.toml:1:3\n  |\n1 | [[segmnt]]\n  |   ^^^^^^\n"), "{text}");

    write("b.toml", b"# ok\nid = \"\xc4\xe3\"\n");
    let text = told(directory.path());
    assert!(text.contains("error: not UTF-8\n --> b.toml:2:7"), "{text}");
    assert!(text.ends_with("the programme is refused: 1 error, no warnings"), "{text}");
}
