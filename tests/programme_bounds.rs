//! No text of a programme panics, exhausts the stack of a thread, or takes time out of proportion.

use cohortflow::programme::{self, Diagnostic, Document, Source};

fn parse(text: String) -> Result<Document, Vec<Diagnostic>> {
    programme::parse(vec![Source { name: "programme.toml".to_owned(), text }])
}

fn with_rule(rule: &str) -> String {
    format!("[[segment]]\nid = \"s\"\nwhen = '''{rule}'''\n")
}

/// Half of what a thread has by default: whoever calls has used some.
fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(run).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

#[track_caller]
fn refused(rule: &str, problem: &str) {
    let diagnostics = parse(with_rule(rule)).expect_err("refused");
    let told: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    assert!(told.iter().any(|message| message.contains(problem)), "{told:?}");
}

#[track_caller]
fn accepted(rule: &str) {
    if let Err(diagnostics) = parse(with_rule(rule)) {
        panic!("{}", diagnostics[0]);
    }
}

#[test]
fn depth_is_bounded() {
    on_a_small_stack(|| {
        let nested = |open: &str, middle: &str, close: &str, times: usize| {
            format!("{}{middle}{}", open.repeat(times), close.repeat(times))
        };
        for (open, middle, close) in [
            ("(", "age > 1", ")"),
            ("not ", "age > 1", ""),
            ("not (", "age > 1", ")"),
            ("at_least(1, ", "age > 1", ")"),
            ("age > 1 or (age > 2 and ", "age > 3", ")"),
            ("age in (", "1", ")"),
            ("- ", "age > 1", ""),
            ("-(", "age", ") > 1"),
        ] {
            for times in [1000, 4000] {
                let rule = nested(open, middle, close, times);
                assert!(parse(with_rule(&rule)).is_err(), "{open}");
            }
        }
        accepted(&nested("(", "age > 1", ")", 90));
        accepted(&nested("not ", "age > 1", "", 90));
        refused(&nested("(", "age > 1", ")", 101), "nests deeper than 100 levels");
        refused(&nested("not ", "age > 1", "", 101), "nests deeper than 100 levels");
        refused(&format!("{} > 1", vec!["age"; 150].join(" + ")), "nests deeper than 100 levels");
    });
}

#[test]
fn length_is_bounded() {
    on_a_small_stack(|| {
        accepted(&vec!["age > 1"; 1000].join(" or "));
        refused(&vec!["age > 1"; 1001].join(" or "), "operators, 2000 are allowed");
        refused(&format!("{} and", vec!["age"; 2000].join(" = ")), "expected an attribute");
        refused(&vec!["age"; 2001].join(" = "), "nests deeper");
        accepted(&format!("city in ({})", vec!["'Dalian'"; 5000].join(", ")));
        refused(&format!("city = '{}'", "x".repeat(64 << 10)), "65536 are allowed");
        let large = format!("# {}", "x".repeat(programme::BYTES_MAX));
        assert!(parse(large).is_err());
    });
}

/// sqlparser goes back and tries again at these; a rule of them took time exponential in its depth.
#[test]
fn what_does_not_parse_is_refused_at_once() {
    for open in ["not (", "(", "age in (", "at_least(1, ", "not not (", "age between (", "(age, ("] {
        for end in ["", "age age", "age >", ")", "1 2", "'"] {
            for times in [30, 60, 95] {
                assert!(parse(with_rule(&format!("{}{end}", open.repeat(times)))).is_err());
            }
        }
    }
}

/// However much is wrong, what is told stays small.
#[test]
fn the_number_of_problems_told_is_bounded() {
    let text = "[[segment]]\nid = 1\n".repeat(20_000);
    let diagnostics = parse(text).expect_err("refused");
    assert!(diagnostics.len() <= 402, "{}", diagnostics.len());
    assert_eq!(diagnostics.last().map(|last| last.message.as_str()), Some("and 39800 more errors"));
}

/// A circle of ten thousand tags is found without recursion, and told in short.
#[test]
fn a_large_circle_is_told_in_short() {
    on_a_small_stack(|| {
        let tag = |number: usize| format!("[[tag]]\nid = \"t{number}\"\nwhen = \"tag.t{}\"\n", (number + 1) % 10_000);
        let diagnostics = parse((0..10_000).map(tag).collect()).expect_err("refused");
        let circle = diagnostics.iter().find(|diagnostic| diagnostic.message.contains("circle")).expect("told");
        assert!(circle.message.len() < 300, "{}", circle.message);
    });
}

/// A programme with so many of something.
type Family<'a> = &'a dyn Fn(usize) -> String;

#[test]
fn lists_of_campaigns_are_bounded() {
    let names = |many: usize| (0..many).map(|name| format!("\"list:{name}\"")).collect::<Vec<_>>().join(", ");
    let with = |key: &str| format!("[[campaign]]\nid = \"c\"\naudience = \"true\"\nchannels = [\"sms\"]\n{key}\n");
    let lists = |many: usize| with(&format!("exclude = [{}]", names(many)));
    let steps = |many: usize| with(&format!("steps = [{}]", vec!["{ channel = \"sms\" }"; many].join(", ")));
    let channels =
        |many: usize| format!("[[campaign]]\nid = \"c\"\naudience = \"true\"\nchannels = [{}]\n", names(many));
    let quiet = |many: usize| with(&format!("quiet = [{}]", vec!["\"22:00-08:00\""; many].join(", ")));
    let packs = |many: usize| format!("[[pack]]\nid = \"p\"\nproducts = [{}]\n", names(many));
    let cap = "{ contacts = 1, days = 1 }";
    let caps = |many: usize| format!("[settings]\ncaps = [{}]\n", vec![cap; many].join(", "));
    let campaigns = |many: usize| {
        let campaign = |id| format!("[[campaign]]\nid = \"{id}\"\naudience = \"true\"\nchannels = [\"sms\"]\n");
        (0..many).map(campaign).collect::<String>()
    };
    let link = |bytes: usize| {
        let link = format!("http://{}", "x".repeat(bytes - 7));
        format!("[[content]]\nid = \"c\"\nchannel = \"wap\"\ntext = \"x\"\nlink = \"{link}\"\n")
    };
    let families: [(&str, Family<'_>, usize); 8] = [
        ("leaves out 33 lists, 32 are allowed", &lists, 32),
        ("has 257 steps, 256 are allowed", &steps, 256),
        ("has 33 channels, 32 are allowed", &channels, 32),
        ("holds 25 times of day, 24 are allowed", &quiet, 24),
        ("has 101 products, 100 are allowed", &packs, 100),
        ("there are 33 caps, 32 are allowed", &caps, 32),
        ("at most 1000 campaigns, this one has 1001", &campaigns, 1000),
        ("has 2001 bytes, 2000 are allowed", &link, 2000),
    ];
    for (problem, text, most) in families {
        assert!(parse(text(most)).is_ok(), "{problem}");
        let diagnostics = parse(text(most + 1)).expect_err(problem);
        assert!(diagnostics.iter().any(|diagnostic| diagnostic.message.contains(problem)), "{}", diagnostics[0]);
    }
}

/// Each of many unknown names is set against few of many known ones, and only while somebody reads it.
#[test]
fn many_names_that_are_not_known_are_told_at_once() {
    let name = |of: &str, name: usize| format!("{of}_{name:020}");
    let many = |part: &dyn Fn(usize) -> String| (0..15_000).map(part).collect::<String>();
    let id = |section: &str, name: String| format!("[[{section}]]\nid = \"{name}\"\n");
    let campaign = |place| id("campaign", name("campaign", place)) + "audience = \"true\"\n";
    let content = |place| id("content", name("content", place)) + "channel = \"sms\"\ntext = \"x\"\n";
    let step = |place| format!("[[campaign.steps]]\nchannel = \"sms\"\ncontent = \"{}\"\n", name("text", place));
    let rivals = format!("never_with = [{}]\n", many(&|place| format!("\"{}\", ", name("rival", place))));
    let capacity = format!("capacity = {{{}}}\n", many(&|place| format!("{} = 1, ", name("channel", place))));
    let channels = format!("channels = [{}]\n", many(&|place| format!("\"{}\", ", name("via", place))));
    for text in [
        many(&campaign) + &rivals,
        campaign(0) + &channels + &capacity,
        many(&|place| campaign(place) + &format!("pack = \"{}\"\n", name("pakc", place)))
            + &many(&|place| id("pack", name("pack", place)) + "products = [\"x\"]\n"),
        many(&content) + &many(&|place| campaign(place) + &step(place)),
    ] {
        let diagnostics = parse(text).expect_err("refused");
        let last = diagnostics.last().expect("one");
        assert!(last.message.contains("more errors"), "{last}");
    }
}

/// A generator of its own, so that a seed means the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

const WORDS: [&str; 71] = [
    "age",
    "city",
    "gender",
    "tier",
    "member",
    "usage.sms",
    "holds.139mail",
    "holds.\"1 2\"",
    "tag.a.b",
    "holds.",
    "usage",
    "foo",
    "score.x",
    "and",
    "or",
    "not",
    "between",
    "in",
    "is",
    "null",
    "like",
    "true",
    "false",
    "at_least",
    "at_least(",
    "(",
    ")",
    "(",
    ")",
    ",",
    "+",
    "-",
    "*",
    "/",
    "=",
    "<>",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "1",
    "0.5",
    ".5",
    "5.",
    "1e5",
    "-1",
    "'a'",
    "'f'",
    "''",
    "'",
    "\"",
    "\"x\"",
    "--",
    "/*",
    "*/",
    "case",
    "cast(",
    "select",
    "exists",
    "any",
    "::",
    "||",
    "%",
    "大连",
    "'大连'",
    "é",
    "\u{301}",
    "_",
    ".",
    "$$",
];

#[test]
fn no_soup_of_words_panics() {
    let (mut taken, mut random) = (0, Random(7));
    for _ in 0..20_000 {
        let mut rule = String::new();
        for _ in 0..=random.below(12) {
            rule.push_str(random.pick(&WORDS));
            rule.push_str(random.pick(&["", " ", " ", " ", "\n", "\t"]));
        }
        let read = parse(with_rule(&rule));
        for diagnostic in read.as_ref().map_or_else(|diagnostics| diagnostics.as_slice(), |document| &document.warnings)
        {
            let shown = diagnostic.to_string();
            assert!(diagnostic.line >= 1 && diagnostic.column >= 1 && shown.len() < 2000, "{rule:?}: {shown}");
        }
        if let Ok(document) = read {
            taken += 1;
            let expr = &document.programme.segments[0].when;
            let again = parse(with_rule(&expr.to_string())).expect("what is shown can be read");
            assert_eq!(&again.programme.segments[0].when, expr, "{rule:?}");
        }
    }
    assert!(taken > 20, "only {taken} rules of the soup hold");
}

#[test]
fn no_mutation_of_a_programme_panics() {
    let reference: String = programme::reference().into_iter().map(|source| source.text).collect();
    let chars: Vec<char> = reference.chars().collect();
    let mut random = Random(11);
    for _ in 0..400 {
        let mut mutated = chars.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(mutated.len());
            let other = chars[random.below(chars.len())];
            match random.below(4) {
                0 => mutated[at] = other,
                1 => mutated.insert(at, other),
                2 => drop(mutated.remove(at)),
                // An edit that was not saved to its end.
                _ => mutated.truncate(at.max(100)),
            }
        }
        let read = parse(mutated.iter().collect());
        for diagnostic in read.unwrap_or_else(panic_free).warnings {
            assert!(!diagnostic.to_string().is_empty());
        }
    }
}

/// Shows everything told, and goes on with nothing.
fn panic_free(diagnostics: Vec<Diagnostic>) -> Document {
    assert!(!diagnostics.is_empty());
    assert!(diagnostics.iter().all(|diagnostic| !diagnostic.to_string().is_empty()));
    programme::parse(Vec::new()).expect("the empty programme holds")
}
